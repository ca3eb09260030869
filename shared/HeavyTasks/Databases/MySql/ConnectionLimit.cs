using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Platform.HeavyTasks;

/// <summary>How many connections the server takes, and how many of them it keeps for administrators.</summary>
internal sealed record ConnectionLimit(int Max, int Reserved)
{
    /// <summary>Asks the server. Nothing is reserved here: the one connection for an administrator comes on top of the limit.</summary>
    public static async Task<ConnectionLimit> ReadAsync(DatabaseFacade database, CancellationToken cancellationToken) =>
        (
            await database
                .SqlQuery<ConnectionLimit>($"SELECT CAST(@@max_connections AS SIGNED) AS Max, CAST(0 AS SIGNED) AS Reserved")
                .ToListAsync(cancellationToken)
        )[0];
}

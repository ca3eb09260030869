using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Platform.HeavyTasks;

/// <summary>How many connections the server takes, and how many of them it keeps for administrators.</summary>
internal sealed record ConnectionLimit(int Max, int Reserved)
{
    /// <summary>Asks the server.</summary>
    public static async Task<ConnectionLimit> ReadAsync(DatabaseFacade database, CancellationToken cancellationToken) =>
        (
            await database
                .SqlQuery<ConnectionLimit>(
                    $"""
                    SELECT current_setting('max_connections')::int AS "Max", current_setting('superuser_reserved_connections')::int AS "Reserved"
                    """
                )
                .ToListAsync(cancellationToken)
        )[0];
}

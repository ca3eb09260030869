using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Platform.HeavyTasks;

/// <summary>Reads the database's clock.</summary>
internal static class DatabaseClockReader
{
    public static async Task<DateTime> ReadClockAsync(this DatabaseFacade database, CancellationToken cancellationToken) =>
        (await database.SqlQuery<DateTime>($"SELECT clock_timestamp() AS \"Value\"").ToListAsync(cancellationToken))[0];
}

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Platform.HeavyTasks;

/// <summary>Reads the database's clock.</summary>
internal static class DatabaseClockReader
{
    public static async Task<DateTime> ReadClockAsync(this DatabaseFacade database, CancellationToken cancellationToken) =>
        (await database.SqlQuery<DateTime>($"SELECT UTC_TIMESTAMP(6) AS Value").ToListAsync(cancellationToken))[0];
}

using System.Data.Common;
using Npgsql;

namespace Platform.HeavyTasks;

internal sealed partial class PostgreSqlDialect
{
    public long SessionOf(DbConnection connection) => connection is NpgsqlConnection open ? open.ProcessID : 0;

    public async Task<IReadOnlyDictionary<long, TimeSpan?>> ReadIdleSessionsAsync(
        DbConnection connection,
        long[] sessions,
        CancellationToken cancellationToken
    )
    {
        await using var command = new NpgsqlCommand(SessionStatements.PostgreSql, (NpgsqlConnection)connection)
        {
            Parameters = { new() { Value = sessions.Select(session => (int)session).ToArray() } },
        };
        return await IdleSessions.ReadAsync(command, SessionOf(connection), cancellationToken);
    }
}

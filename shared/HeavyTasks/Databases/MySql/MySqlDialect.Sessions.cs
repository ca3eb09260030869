using System.Data.Common;
using MySqlConnector;

namespace Platform.HeavyTasks;

internal sealed partial class MySqlDialect
{
    public long SessionOf(DbConnection connection) => connection is MySqlConnection open ? open.ServerThread : 0;

    public async Task<IReadOnlyDictionary<long, TimeSpan?>> ReadIdleSessionsAsync(
        DbConnection connection,
        long[] sessions,
        CancellationToken cancellationToken
    )
    {
        await using var command = new MySqlCommand(SessionStatements.MySql(sessions), (MySqlConnection)connection);
        return await IdleSessions.ReadAsync(command, SessionOf(connection), cancellationToken);
    }
}

using System.Data.Common;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Asks the server whether a statement runs on sessions of this process. It asks on a connection outside the pool, because the pool may be
/// exhausted at that moment.
/// </summary>
internal sealed class ServerSessions(InstanceIdentity instance, IConfiguration configuration, IOptions<DatabaseOptions> options)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>Tells, for each session that the server knows, how long nothing has run on it; null while something runs.</summary>
    /// <exception cref="DbException">The server cannot be asked.</exception>
    public async Task<IReadOnlyDictionary<long, TimeSpan?>> FindIdleAsync(long[] ids, CancellationToken cancellationToken)
    {
        if (ids.Length == 0)
        {
            return new Dictionary<long, TimeSpan?>();
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        await using var connection = Dialect.Current.CreateUnpooledConnection(
            ConnectionStrings.Of(configuration, options.Value.ConnectionName),
            $"{instance.Service}-watch",
            Patience
        );
        await connection.OpenAsync(patience.Token);
        return await Dialect.Current.ReadIdleSessionsAsync(connection, ids, patience.Token);
    }
}

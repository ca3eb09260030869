using System.Data.Common;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// A session lock on one direct, unpooled connection (<c>ConnectionStrings:PlatformDirect</c>, default the ordinary one). The server frees
/// it the moment the process dies, so others learn of the death long before the lease ends. Others can see whether the lock is held without
/// acquiring it. Such locks belong to one server: with several writable servers, the lease alone decides.
/// </summary>
internal sealed class LivenessLock(
    InstanceIdentity instance,
    IConfiguration configuration,
    IOptions<DatabaseOptions> options,
    TimeProvider time
) : IAsyncDisposable
{
    /// <summary>How long a proof may take until the lock is in doubt: 500 ms, so that its row tells so before others judge by it.</summary>
    public static readonly TimeSpan Doubt = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    // So often in a row the lock must vanish right after it was acquired, until it counts as lost to a pooler.
    private const int Vanishings = 3;

    private static readonly TimeSpan PauseIfPooled = TimeSpan.FromMinutes(1);

    private DbConnection? connection;
    private Task<bool>? proof;
    private long? heldSince;
    private int vanished;
    private long vanishedAt;

    /// <summary>Whether the lock was held at the last check. False while the server owes the proof.</summary>
    public bool IsHeld => heldSince is not null;

    /// <summary>How long the lock has been held without a gap or a doubt; zero when it is not held.</summary>
    public TimeSpan HeldFor => heldSince is { } since ? time.GetElapsedTime(since) : TimeSpan.Zero;

    /// <summary>
    /// Whether the lock vanished again and again while its connection stayed open: a pooler lends the session to others. It is tried again
    /// after a minute.
    /// </summary>
    public bool IsPooled => vanished >= Vanishings;

    /// <summary>
    /// Asks the server whether the lock is still held. A server that does not answer within <see cref="Doubt"/> may have ended the session
    /// long ago while the connection looks alive here, so the answer is no until <see cref="AcquireAsync"/> has found out.
    /// </summary>
    public async Task<bool> ProveAsync(CancellationToken cancellationToken)
    {
        if (!IsHeld)
        {
            return false;
        }

        proof = Dialect.Current.HoldsLockAsync(connection!, instance.Id, cancellationToken);
        try
        {
            if (await proof.WaitAsync(Doubt, time, cancellationToken))
            {
                proof = null;
                vanished = HeldFor > PauseIfPooled ? 0 : vanished;
                return true;
            }
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // AcquireAsync looks at the proof.
        }

        heldSince = null;
        return false;
    }

    /// <summary>
    /// Acquires the lock when <see cref="ProveAsync"/> could not prove it. A connection that was lost is replaced at once.
    /// </summary>
    /// <exception cref="DbException">The server cannot be reached.</exception>
    public async Task AcquireAsync(CancellationToken cancellationToken)
    {
        if (proof is { } owed)
        {
            try
            {
                var holds = await owed.WaitAsync(cancellationToken);
                proof = null;
                if (holds)
                {
                    heldSince = time.GetTimestamp();
                    return;
                }

                (vanished, vanishedAt) = (vanished + 1, time.GetTimestamp());
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested)
            {
                // The connection is lost; another one follows.
            }

            await ReleaseAsync();
        }

        if (IsPooled && time.GetElapsedTime(vanishedAt) < PauseIfPooled)
        {
            return;
        }

        try
        {
            if (connection is null)
            {
                connection = Dialect.Current.CreateUnpooledConnection(
                    ConnectionStrings.DirectOf(configuration, options.Value),
                    $"{instance.Service}-liveness",
                    Timeout
                );
                await connection.OpenAsync(cancellationToken);
            }

            // This fails until the server has noticed that an earlier connection of this process is gone.
            if (await Dialect.Current.TryLockAsync(connection, instance.Id, cancellationToken))
            {
                heldSince = time.GetTimestamp();
            }
        }
        catch
        {
            await ReleaseAsync();
            throw;
        }
    }

    /// <summary>Releases the lock.</summary>
    public async Task ReleaseAsync()
    {
        heldSince = null;
        if (proof is { } owed)
        {
            // The driver cannot close a connection that still waits; its command timeout bounds the wait.
            proof = null;
            await owed.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }

        if (connection is { } open)
        {
            connection = null;
            await open.DisposeAsync();
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync() => await ReleaseAsync();
}

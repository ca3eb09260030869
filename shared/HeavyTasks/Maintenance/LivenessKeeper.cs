using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Holds this worker's liveness lock, and tells in its row at once when it has lost the lock, doubts it, or has it again: other workers judge
/// by the lock only while the row says that there is one.
/// </summary>
internal sealed partial class LivenessKeeper(
    InstanceKeeper instanceKeeper,
    LivenessLock livenessLock,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<LivenessKeeper> logger
) : PollingLoop(LivenessTimes.Interval, time, logger)
{
    private bool isWarned;

    // Null while nobody knows what the row says: a write that failed may have been made, and the lease is renewed at any moment.
    private bool? isToldInRow = false;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.LivenessLock)
        {
            await TryRoundAsync(cancellationToken);
        }

        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await livenessLock.ReleaseAsync();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        options.Value.LivenessLock ? base.ExecuteAsync(stoppingToken) : Task.CompletedTask;

    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        try
        {
            if (!await livenessLock.ProveAsync(stoppingToken))
            {
                await Task.WhenAll(TellAsync(stoppingToken), livenessLock.AcquireAsync(stoppingToken));
            }
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            if (!isWarned)
            {
                LockNotHeld(logger, exception);
            }
        }

        if (livenessLock.IsPooled && !isWarned)
        {
            Pooled(logger);
        }

        isWarned = !livenessLock.IsHeld;
        await TellAsync(stoppingToken);
    }

    private async Task TellAsync(CancellationToken cancellationToken)
    {
        var isHeld = livenessLock.IsHeld;
        if (isToldInRow != isHeld)
        {
            isToldInRow = null;
            await instanceKeeper.RenewAsync(cancellationToken);
            isToldInRow = isHeld;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The liveness lock is not held; until it is, this worker's lease alone decides.")]
    private static partial void LockNotHeld(ILogger logger, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The liveness lock does not stay with this worker's connection: a pooler in transaction mode stands between. The lease alone decides. Name a direct connection in ConnectionStrings:PlatformDirect, or set HeavyTasks:LivenessLock to false."
    )]
    private static partial void Pooled(ILogger logger);
}

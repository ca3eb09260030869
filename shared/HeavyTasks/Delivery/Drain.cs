using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// What a worker does after SIGTERM, before any other service of the process stops: it claims no more tasks, lets running tasks finish for
/// a while, then tells the others to stop and gives them back to the queue. They count neither a failure nor a crash.
/// </summary>
internal sealed partial class Drain(
    HeavyTaskReceivers receivers,
    HeavyTaskSlots slots,
    RunningAttempts runningAttempts,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<Drain> logger
) : IHostedLifecycleService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        receivers.Stop(isForGood: true);
        slots.Close();
        if (IsDone)
        {
            return;
        }

        Waiting(logger, slots.InUse, options.Value.DrainTimeout);
        if (
            !await IsDoneWithinAsync(options.Value.DrainTimeout, stop: false, cancellationToken)
            && !await IsDoneWithinAsync(options.Value.DrainGrace * 2, stop: true, cancellationToken)
        )
        {
            NotSettled(logger, slots.InUse - Settled);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // A claim that is under way has its slot already. A handler that does not return keeps its slot, although its task is settled.
    private bool IsDone => slots.InUse <= Settled;

    private int Settled => runningAttempts.All.Count(task => task.Settled.IsCompleted);

    private async Task<bool> IsDoneWithinAsync(TimeSpan limit, bool stop, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            do
            {
                // Read the attempts again in each round: a claim may have been won meanwhile.
                foreach (var task in stop ? runningAttempts.All : [])
                {
                    task.Stop(StopReason.Draining);
                }
            } while (!IsDone && time.GetElapsedTime(start) < limit && await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException)
        {
            // The host's shutdown timeout has passed.
        }

        return IsDone;
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Draining: {Count} tasks have {Limit} to finish; then they are told to stop and given back."
    )]
    private static partial void Waiting(ILogger logger, int count, TimeSpan limit);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} tasks could not be given back; other workers take them over.")]
    private static partial void NotSettled(ILogger logger, int count);
}

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// What a worker does between SIGTERM and its end, before any other service of the process stops: claims nothing more, lets running
/// tasks finish for a while, then tells the rest to stop and gives them back to the queue, at no cost to them.
/// </summary>
internal sealed partial class Drain(
    HeavyTaskSlots slots, RunningTasks runningTasks, IOptions<HeavyTaskOptions> options, TimeProvider time, ILogger<Drain> logger) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        slots.Close();
        var running = runningTasks.All.ToArray();
        if (running.Length == 0)
        {
            return;
        }

        Waiting(logger, running.Length, options.Value.DrainTimeout);
        if (await AllSettledAsync(running, options.Value.DrainTimeout, cancellationToken))
        {
            return;
        }

        foreach (var task in running)
        {
            task.Stop(StopReason.Draining);
        }

        if (!await AllSettledAsync(running, options.Value.DrainGrace * 2, cancellationToken))
        {
            NotSettled(logger, running.Count(t => !t.Settled.IsCompleted));
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task<bool> AllSettledAsync(RunningTask[] tasks, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAll(tasks.Select(t => t.Settled)).WaitAsync(limit, time, cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Draining: {Count} tasks may finish for {Limit}, then they are given back.")]
    private static partial void Waiting(ILogger logger, int count, TimeSpan limit);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Count} tasks could not be given back; other workers take them over.")]
    private static partial void NotSettled(ILogger logger, int count);
}

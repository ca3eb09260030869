using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>
/// Repeats a round of work at an interval from the start of the process until it stops. A failed round is logged, and the next one follows.
/// Rounds never overlap: a round that takes longer than the interval is followed at once by the next.
/// </summary>
/// <param name="interval">The time from the beginning of one round to the beginning of the next.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where failed rounds are logged.</param>
internal abstract partial class PollingLoop(TimeSpan interval, TimeProvider time, ILogger logger) : BackgroundService
{
    /// <summary>The clock.</summary>
    protected TimeProvider Time => time;

    /// <summary>Runs one round.</summary>
    protected abstract Task RunRoundAsync(CancellationToken stoppingToken);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        CurrentWork.Value = GetType().Name;
        // The loops of a process begin together, and processes often do. A first interval of random length keeps their rounds apart.
        using var timer = new PeriodicTimer(interval * (1 - (Random.Shared.NextDouble() / 2)), time);
        await TryRoundAsync(stoppingToken);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            timer.Period = interval;
            await TryRoundAsync(stoppingToken);
        }
    }

    /// <summary>Runs one round and logs its failure.</summary>
    protected async Task TryRoundAsync(CancellationToken stoppingToken)
    {
        try
        {
            await RunRoundAsync(stoppingToken);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            RoundFailed(logger, GetType().Name, exception);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A round of {Loop} failed; the next one follows.")]
    private static partial void RoundFailed(ILogger logger, string loop, Exception exception);
}

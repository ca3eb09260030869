using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>
/// A round of work, repeated at an interval from the start of the process until it stops. A round that fails is logged, and the next one
/// follows; rounds never overlap, and one that takes longer than the interval is followed at once by the next.
/// </summary>
/// <param name="interval">From the beginning of a round to that of the next.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where failed rounds are logged.</param>
internal abstract partial class PollingLoop(TimeSpan interval, TimeProvider time, ILogger logger) : BackgroundService
{
    /// <summary>The clock.</summary>
    protected TimeProvider Time => time;

    /// <summary>One round.</summary>
    protected abstract Task RunRoundAsync(CancellationToken stoppingToken);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(interval, time);
        do
        {
            await TryRoundAsync(stoppingToken);
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>One round, whose failure is logged.</summary>
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

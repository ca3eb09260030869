using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Looks every second which of this worker's kinds are paused. A paused kind begins no task; what runs goes on. Nothing begins before the
/// first look, and a look that fails changes nothing.
/// </summary>
internal sealed partial class KindPauses(
    HandledKinds kinds,
    HeavyTaskSlots slots,
    IServiceScopeFactory scopes,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<KindPauses> logger
) : PollingLoop(options.Value.Interval, time, logger)
{
    private readonly string[] names = [.. kinds.All.Select(kind => kind.Name)];
    private bool isFirst = true;

    /// <inheritdoc />
    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var paused = await scope
            .ServiceProvider.GetRequiredService<EngineContext>()
            .Db.AnnouncedKinds.Where(kind => kind.PausedAt != null && names.Contains(kind.Name))
            .Select(kind => kind.Name)
            .ToListAsync(stoppingToken);
        foreach (var name in names)
        {
            var isPaused = paused.Contains(name);
            var isChange = slots.SetPaused(name, isPaused);
            if (isFirst ? isPaused : isChange)
            {
                Changed(logger, name, isPaused ? "paused" : "resumed");
            }
        }

        isFirst = false;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Kind {Kind} is {State}.")]
    private static partial void Changed(ILogger logger, string kind, string state);
}

using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Looks every second what operators have set for this worker: which of its kinds are paused, how many tasks of each run at once, and whether
/// the worker drains. Nothing begins before the first look, and a look that fails changes nothing.
/// </summary>
internal sealed partial class OperatorSettings(
    HandledKinds kinds,
    HeavyTaskSlots slots,
    HeavyTaskReceivers receivers,
    InstanceIdentity instance,
    InstanceKeeper keeper,
    IServiceScopeFactory scopes,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<OperatorSettings> logger
) : PollingLoop(options.Value.Interval, time, logger)
{
    private readonly string[] names = [.. kinds.All.Select(kind => kind.Name)];
    private bool isFirst = true;
    private bool isStopped;

    /// <inheritdoc />
    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        var set = await db
            .AnnouncedKinds.Where(kind => (kind.PausedAt != null || kind.Slots != null) && names.Contains(kind.Name))
            .Select(kind => new
            {
                kind.Name,
                IsPaused = kind.PausedAt != null,
                kind.Slots,
            })
            .ToDictionaryAsync(kind => kind.Name, StringComparer.Ordinal, stoppingToken);
        var isDraining = await db.Instances.AnyAsync(i => i.Id == instance.Id && i.DrainedAt != null, stoppingToken);
        SetDraining(isDraining);
        var reports = false;
        foreach (var name in names)
        {
            var settings = set.GetValueOrDefault(name);
            if (slots.SetLimit(name, settings?.Slots) is { } limit)
            {
                LimitChanged(logger, limit, name);
                reports = true;
            }

            var isPaused = settings?.IsPaused == true;
            var isChange = slots.SetPaused(name, isPaused);
            if (isFirst ? isPaused : isChange)
            {
                Changed(logger, name, isPaused ? "paused" : "resumed");
            }
        }

        isFirst = false;
        if (reports)
        {
            await keeper.RenewAsync(stoppingToken);
        }
    }

    private void SetDraining(bool isDraining)
    {
        if (slots.SetDraining(isDraining))
        {
            Draining(logger, isDraining ? "drains: it begins no task until it is told to go on" : "goes on");
        }

        if (isDraining)
        {
            // Again in each round: some may have been started meanwhile, when it was told to go on for a while.
            receivers.Stop();
            isStopped = true;
        }
        else if (!isDraining && isStopped && !slots.IsClosed)
        {
            // The others follow in later rounds, when their tasks have ended. Until then nothing is delivered, and nothing has vanished.
            isStopped = !receivers.TryStart();
            foreach (var name in names.Where(receivers.IsStopped))
            {
                slots.Delivered(name);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Kind {Kind} is {State}.")]
    private static partial void Changed(ILogger logger, string kind, string state);

    [LoggerMessage(Level = LogLevel.Information, Message = "At most {Limit} tasks of kind {Kind} run here at once now.")]
    private static partial void LimitChanged(ILogger logger, int limit, string kind);

    [LoggerMessage(Level = LogLevel.Information, Message = "This worker {State}.")]
    private static partial void Draining(ILogger logger, string state);
}

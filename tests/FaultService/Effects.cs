using System.Diagnostics;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.FaultService;

/// <summary>Writes one user in the transaction that completes the task.</summary>
[HeavyTaskKind("fault.count")]
public sealed record CountEffect(string Name);

/// <summary>Does the same, and fails at its first attempt.</summary>
[HeavyTaskKind("fault.retry")]
public sealed record RetryEffect(string Name);

/// <summary>
/// Writes one user per step, each in a checkpoint of its own, and a line per step to its result file. May kill its process at a step of its
/// first attempt, before the checkpoint.
/// </summary>
[HeavyTaskKind("fault.steps")]
public sealed record StepEffects(string Name, int Steps, int PauseMilliseconds, int? DieAt = null);

/// <summary>Writes many users in one bulk load.</summary>
[HeavyTaskKind("fault.bulk")]
public sealed record BulkEffects(string Name, int Rows);

/// <summary>Ignores its cancellation for a while.</summary>
[HeavyTaskKind("fault.deaf")]
public sealed record DeafEffect(string Name, int Milliseconds);

/// <summary>An effect that happened twice would be two rows: the name is not unique, and the key is made anew each time.</summary>
internal static class Effects
{
    public static User Of(string name) => new() { ExternalId = $"{name}-{Guid.NewGuid():N}", Name = name };
}

public sealed class CountEffectHandler(PlatformDbContext db) : HeavyTaskHandler<CountEffect>
{
    public override Task RunAsync(HeavyTaskContext<CountEffect> context)
    {
        db.Add(Effects.Of(context.Parameters.Name));
        return Task.CompletedTask;
    }
}

public sealed class RetryEffectHandler(PlatformDbContext db) : HeavyTaskHandler<RetryEffect>
{
    public override Task RunAsync(HeavyTaskContext<RetryEffect> context)
    {
        db.Add(Effects.Of(context.Parameters.Name));
        return context.Attempt == 1 ? throw new InvalidOperationException("The first attempt fails.") : Task.CompletedTask;
    }
}

/// <summary>The next step.</summary>
public sealed record StepsState(int Next);

public sealed class StepEffectsHandler(TimeProvider time) : HeavyTaskHandler<StepEffects>
{
    public override async Task RunAsync(HeavyTaskContext<StepEffects> context)
    {
        var (name, steps, pause, dieAt) = context.Parameters;
        var file = await context.OpenResultFileAsync("steps.txt", "text/plain");
        for (var step = context.GetCheckpoint<StepsState>()?.Next ?? 0; step < steps; step++)
        {
            var number = step.ToString(CultureInfo.InvariantCulture);
            await file.Text.WriteAsync($"{number}\n");
            if (step == dieAt && context.Attempt == 1)
            {
                Process.GetCurrentProcess().Kill();
            }

            await context.CheckpointAsync(
                new StepsState(step + 1),
                (db, _) =>
                {
                    db.Add(Effects.Of($"{name}-{number}"));
                    return Task.CompletedTask;
                }
            );
            context.ReportProgress(step + 1, steps);
            await Task.Delay(TimeSpan.FromMilliseconds(pause), time, context.CancellationToken);
        }
    }
}

public sealed class DeafEffectHandler(PlatformDbContext db, TimeProvider time) : HeavyTaskHandler<DeafEffect>
{
    public override async Task RunAsync(HeavyTaskContext<DeafEffect> context)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(context.Parameters.Milliseconds), time, CancellationToken.None);
        db.Add(Effects.Of(context.Parameters.Name));
    }
}

public sealed partial class BulkEffectsHandler(ILogger<BulkEffectsHandler> logger, TimeProvider time) : HeavyTaskHandler<BulkEffects>
{
    public override async Task RunAsync(HeavyTaskContext<BulkEffects> context)
    {
        var (name, count) = context.Parameters;
        var now = time.GetUtcNow().UtcDateTime;
        var rows = Enumerable
            .Range(0, count)
            .Select(n => new UserRow($"{name}-{n}-{Guid.NewGuid():N}", $"{name}-{n}", null, null, now))
            .ToList();
        await context.CheckpointAsync(
            new StepsState(1),
            (db, cancellationToken) =>
            {
                Begins(logger, name);
                return new UserBulkWriter().WriteAsync(db, rows, ExistingUser.Fail, UserColumns.None, cancellationToken);
            }
        );
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The bulk load of {Name} begins.")]
    private static partial void Begins(ILogger logger, string name);
}

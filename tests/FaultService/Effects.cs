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

/// <summary>Writes one user per step, each in a checkpoint of its own, and a line per step to its result file.</summary>
[HeavyTaskKind("fault.steps")]
public sealed record StepEffects(string Name, int Steps, int PauseMilliseconds);

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
        var (name, steps, pause) = context.Parameters;
        var file = await context.OpenResultFileAsync("steps.txt", "text/plain");
        for (var step = context.GetCheckpoint<StepsState>()?.Next ?? 0; step < steps; step++)
        {
            var number = step.ToString(CultureInfo.InvariantCulture);
            await file.Text.WriteAsync($"{number}\n");
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

using Microsoft.EntityFrameworkCore;
using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.TestWorker;

/// <summary>Writes one user per step, each in a checkpoint of its own, with a pause after it.</summary>
/// <param name="KeepsConnection">Whether it keeps its connection all the time, also while it pauses, as no handler should.</param>
[HeavyTaskKind("test.steps")]
public sealed record StepsParameters(string Name, int Steps, int PauseMilliseconds, bool KeepsConnection = false);

/// <summary>The next step to do.</summary>
public sealed record StepsState(int Next);

public sealed class Steps(PlatformDbContext db, TimeProvider time) : HeavyTaskHandler<StepsParameters>
{
    public override async Task RunAsync(HeavyTaskContext<StepsParameters> context)
    {
        if (context.Parameters.KeepsConnection)
        {
            await db.Database.OpenConnectionAsync(context.CancellationToken);
        }

        // It is given back with the context, at the end of the attempt.
        await RunAsync(context, context.Parameters, time);
    }

    internal static async Task RunAsync<TParameters>(HeavyTaskContext<TParameters> context, StepsParameters parameters, TimeProvider time)
        where TParameters : class
    {
        var (name, steps, pause, _) = parameters;
        for (var step = context.GetCheckpoint<StepsState>()?.Next ?? 0; step < steps; step++)
        {
            var number = step;
            await context.CheckpointAsync(
                new StepsState(step + 1),
                (db, _) =>
                {
                    // No unique key protects this, so a step done twice would show.
                    db.Add(new User { ExternalId = $"{name}-{number}-{Guid.NewGuid():N}", Name = $"{name}-{number}" });
                    return Task.CompletedTask;
                }
            );
            context.ReportProgress(step + 1, steps);
            context.Log($"Step {step + 1} is done.");
            if (pause > 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(pause), time, context.CancellationToken);
            }
        }
    }
}

/// <summary>Does the same under another kind, which has its own queue.</summary>
[HeavyTaskKind("test.other-steps")]
public sealed record OtherStepsParameters(string Name, int Steps, int PauseMilliseconds);

public sealed class OtherSteps(TimeProvider time) : HeavyTaskHandler<OtherStepsParameters>
{
    public override Task RunAsync(HeavyTaskContext<OtherStepsParameters> context) =>
        Steps.RunAsync(
            context,
            new StepsParameters(context.Parameters.Name, context.Parameters.Steps, context.Parameters.PauseMilliseconds),
            time
        );
}

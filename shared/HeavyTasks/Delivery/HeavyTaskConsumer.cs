using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>
/// Consumes <see cref="HeavyTaskRequested"/>: takes a slot, claims the task, runs it. MassTransit opened a scope for this message;
/// the application's <see cref="DbContext"/> in it belongs to this task alone. The message is acknowledged when the task is settled, but
/// nothing depends on that: a message that comes again does not win the claim.
/// </summary>
internal sealed partial class HeavyTaskConsumer(
    HandledKinds kinds,
    HeavyTaskSlots slots,
    HeavyTaskClaims claims,
    EngineContext engine,
    HeavyTaskRunner runner,
    TimeProvider time,
    ILogger<HeavyTaskConsumer> logger
) : IConsumer<HeavyTaskRequested>
{
    private static readonly TimeSpan ClaimRetryDelay = TimeSpan.FromSeconds(1);

    public async Task Consume(ConsumeContext<HeavyTaskRequested> context)
    {
        var message = context.Message;
        var kind =
            kinds.Find(message.Kind) ?? throw new InvalidOperationException($"This worker does not run tasks of kind '{message.Kind}'.");
        slots.Delivered(kind.Name);
        using var slot = await slots.TakeAsync(kind.Name, context.CancellationToken);
        var task = await ClaimAsync(message.TaskId, context.CancellationToken);
        if (task is null)
        {
            NotClaimed(logger, message.TaskId);
            return;
        }

        await runner.RunAsync(kind, task);
    }

    // While the database is away, the message waits here: it could not be set aside either. A worker that drains gives it back.
    private async Task<ClaimedHeavyTask?> ClaimAsync(Guid taskId, CancellationToken cancellationToken)
    {
        for (var first = true; ; first = false)
        {
            try
            {
                // Not together again: whatever is wrong with one of them must not keep the others.
                return first ? await claims.ClaimAsync(engine.Db, taskId) : await claims.ClaimAloneAsync(engine.Db, taskId);
            }
            catch (Exception exception)
            {
                ClaimFailed(logger, taskId, exception);
                await Task.Delay(ClaimRetryDelay, time, cancellationToken);
                if (slots.IsClosed)
                {
                    throw new OperationCanceledException("The worker drains.", exception);
                }
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "Task {TaskId} is not queued (any more): the message is a duplicate, or late.")]
    private static partial void NotClaimed(ILogger logger, Guid taskId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Task {TaskId} could not be claimed; it is tried again.")]
    private static partial void ClaimFailed(ILogger logger, Guid taskId, Exception exception);
}

using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.Contracts;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>
/// Consumes <see cref="HeavyTaskRequested"/>: takes a slot, claims the task and runs it. MassTransit opened a scope for this message; the
/// application's <see cref="DbContext"/> in that scope belongs to this task alone. The message is acknowledged when the task is settled,
/// but nothing depends on that: if the message comes again, it does not win the claim.
/// </summary>
internal sealed partial class HeavyTaskConsumer(
    HandledKinds kinds,
    HeavyTaskSlots slots,
    HeavyTaskClaims claims,
    EngineContext engine,
    HeavyTaskRunner runner,
    IServiceScopeFactory scopes,
    TakeOver takeOver,
    InstanceIdentity instance,
    InstanceKeeper instanceKeeper,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<HeavyTaskConsumer> logger
) : IConsumer<HeavyTaskRequested>
{
    private static readonly TimeSpan WriteRetryDelay = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan SuspectDelay = TimeSpan.FromSeconds(5);

    public async Task Consume(ConsumeContext<HeavyTaskRequested> context)
    {
        CurrentWork.Value = nameof(HeavyTaskConsumer);
        var message = context.Message;
        var kind =
            kinds.Find(message.Kind) ?? throw new InvalidOperationException($"This worker does not run tasks of kind '{message.Kind}'.");
        slots.Delivered(kind.Name);
        await instanceKeeper.Written.WaitAsync(context.CancellationToken);
        await slots.WhilePausedAsync(kind.Name, context.CancellationToken);
        var isSuspect = options.Value.IsSuspect(message.Crashes);
        using var suspectPlace = isSuspect ? slots.TryTakeSuspect() : null;
        if (isSuspect && suspectPlace is null)
        {
            // It must not wait here: while it did, it would hold a place of the prefetch from others.
            Postponed(logger, message.TaskId, message.Crashes);
            await InsistAsync(
                message.TaskId,
                _ => ChangeAsync(lifecycle => lifecycle.PostponeAsync(message.TaskId, SuspectDelay, context.CancellationToken)),
                context.CancellationToken
            );
            return;
        }

        using var slot = await TakeSlotAsync(kind.Name, context.CancellationToken);
        if (slot is null)
        {
            // To return the message would bring it back here, and count against it where the broker has a delivery limit.
            NoSlot(logger, message.TaskId, kind.Name);
            await InsistAsync(
                message.TaskId,
                _ => ChangeAsync(lifecycle => lifecycle.PublishAgainAsync(message, context.CancellationToken)),
                context.CancellationToken
            );
            return;
        }

        // After an error each task is claimed alone, so that a task that causes the error cannot hold up the others.
        ClaimedHeavyTask? task = null;
        await InsistAsync(
            message.TaskId,
            async first =>
                task = first ? await claims.ClaimAsync(engine.Db, message.TaskId) : await claims.ClaimAloneAsync(engine.Db, message.TaskId),
            context.CancellationToken
        );
        if (task is null)
        {
            NotClaimed(logger, message.TaskId);
            return;
        }

        slots.Claimed(kind.Name, InOrder(task.QueuedAt, context.SentTime));
        if (task.Kind != kind.Name)
        {
            // The row decides what the task is. Whoever published the message did not ask it.
            OtherKind(logger, task.Id, task.Kind, kind.Name);
            var fence = new HeavyTaskFence(task.Id, task.Attempt, instance.Id);
            await InsistAsync(task.Id, _ => takeOver.ReleaseAsync(fence, CancellationToken.None), CancellationToken.None);
            return;
        }

        await runner.RunAsync(kind, task);
    }

    private async Task<IDisposable?> TakeSlotAsync(string kind, CancellationToken cancellationToken)
    {
        while (true)
        {
            await slots.WhilePausedAsync(kind, cancellationToken);
            var slot = await slots.TakeAsync(kind, cancellationToken);
            if (slot is null || !slots.IsPaused(kind))
            {
                return slot;
            }

            // It was paused while this delivery waited for the slot.
            slot.Dispose();
        }
    }

    // A message that was published again moves its task's queued_at on, and an earlier message of the same task that comes now proves nothing
    // about tasks that were queued in between.
    private static DateTime? InOrder(DateTime? queuedAt, DateTime? sentAt) => sentAt < queuedAt ? sentAt : queuedAt;

    // While the database is away, the message waits here, because it could not be stored as a poison message either. A worker that drains
    // gives it back.
    private async Task InsistAsync(Guid taskId, Func<bool, Task> write, CancellationToken cancellationToken)
    {
        for (var first = true; ; first = false)
        {
            try
            {
                await write(first);
                return;
            }
            catch (Exception exception)
            {
                NotWritten(logger, taskId, exception);
                await Task.Delay(WriteRetryDelay, time, cancellationToken);
                if (slots.IsClosed)
                {
                    throw new OperationCanceledException("The worker drains.", exception);
                }
            }
        }
    }

    // In a scope of its own: after a failure the context still holds the message.
    private async Task ChangeAsync(Func<TaskLifecycle, Task> change)
    {
        await using var scope = scopes.CreateAsyncScope();
        await change(scope.ServiceProvider.GetRequiredService<TaskLifecycle>());
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Task {TaskId} found no free slot of kind {Kind} here for 10 s; its message is published again, for another worker."
    )]
    private static partial void NoSlot(ILogger logger, Guid taskId, string kind);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Task {TaskId} is of kind {Kind}, but its message came to the queue of {Queue}; it goes to its own queue."
    )]
    private static partial void OtherKind(ILogger logger, Guid taskId, string kind, string queue);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Task {TaskId} has crashed {Crashes} times and another such task runs here; it waits for 5 s."
    )]
    private static partial void Postponed(ILogger logger, Guid taskId, int crashes);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Task {TaskId} is not queued (any more): the message is a duplicate, or late.")]
    private static partial void NotClaimed(ILogger logger, Guid taskId);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "What becomes of the message of task {TaskId} could not be written to the database; it is tried again."
    )]
    private static partial void NotWritten(ILogger logger, Guid taskId, Exception exception);
}

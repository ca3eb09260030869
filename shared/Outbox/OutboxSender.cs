using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Platform.Outbox;

/// <summary>Sends leased messages, with one queue for each destination, and has their outcome recorded.</summary>
internal sealed partial class OutboxSender(
    OutboxPublisher publisher,
    OutboxBuses buses,
    OutboxSettlement settlement,
    IOutboxStore store,
    OutboxOptions options,
    OutboxMetrics metrics,
    TimeProvider time,
    ILogger logger
)
{
    // Above this number, healthy destinations that have nothing to send are forgotten.
    private const int MaxQueues = 1_000;

    // For one connection: fewer unanswered messages than make the broker stop reading from it (BusConnection).
    private const int MaxUnanswered = 24;
    private const int MaxAttemptsWithoutConfirm = 2;

    private readonly ConcurrentDictionary<Destination, DestinationQueue> queues = new();
    private readonly ConcurrentDictionary<Destination, bool> resuming = new();
    private readonly BrokerAvailability broker = new(time, logger);
    private int unanswered;
    private int attemptsWithoutConfirm;

    /// <summary>Whether there was no channel to the broker at the last try.</summary>
    public bool BrokerUnavailable => broker.IsAway;

    /// <summary>How long there has been no channel to the broker; zero when there was one at the last try.</summary>
    public TimeSpan BrokerAwayFor => broker.AwayFor;

    /// <summary>Whether no message waits and none is under way.</summary>
    public bool IsIdle => queues.Values.All(q => q.IsIdle);

    /// <summary>Takes messages to send. Their outcome is recorded later.</summary>
    public void Post(IEnumerable<Delivery> deliveries)
    {
        foreach (var group in deliveries.GroupBy(d => d.Destination))
        {
            if (!queues.GetOrAdd(group.Key, destination => new DestinationQueue(destination, this, options, time)).TryAdd(group))
            {
                _ = HandBackAsync([.. group]);
            }
        }

        if (queues.Count > MaxQueues)
        {
            Forget();
        }
    }

    /// <summary>Waits until all posted messages are over.</summary>
    public async Task DrainAsync()
    {
        while (!IsIdle)
        {
            await Task.WhenAll(queues.Values.Select(q => q.Sending));
        }
    }

    /// <summary>Sends the next messages of a queue, unless its destination rests. Never fails.</summary>
    public async Task SendAsync(DestinationQueue queue, IReadOnlyList<Delivery> batch)
    {
        try
        {
            var health = queue.Health;
            if (health.RestLeft is { Ticks: > 0 } restLeft)
            {
                Note(batch, DeliveryOutcome.Resting, restLeft);
                batch[0].IsNextProbe = health.ChooseProbe();
                return;
            }

            // While the broker is away, only messages of the sweeper try it.
            var tried = broker.IsAway ? [.. batch.Where(d => d.ClaimedUntil is not null)] : batch;
            var (wasFailing, wasAway) = (health.IsFailing, broker.IsAway);
            await (wasFailing ? publisher.ProbeAsync(tried, health.IsSuspect) : publisher.SendAsync(tried));
            metrics.Sent(tried, time.GetUtcNow());
            if (!wasFailing)
            {
                NoteAnswers(queue, tried);
            }

            broker.Note(tried, areProbes: wasFailing);
            if (broker.IsStuck)
            {
                GiveUpConnection();
            }

            if (wasAway && broker.IsAway)
            {
                // Another instance may reach the broker. It must find these messages free, and not claimed here again and again.
                Note([.. tried.Where(d => d.Outcome == DeliveryOutcome.Disconnected)], DeliveryOutcome.Waiting, TimeSpan.Zero);
            }

            // Confirms from before the destination stood still do not prove that it is well.
            if (wasFailing || !health.IsSuspect)
            {
                health.Note(tried);
            }

            Log(queue.Destination, tried, wasFailing, health);
            if (tried.Any(d => d.Outcome == DeliveryOutcome.Confirmed && (wasFailing || d.Message.Failures > 0)))
            {
                Resume(queue);
            }
        }
        catch (Exception exception)
        {
            Failed(logger, exception, queue.Destination);
        }
    }

    /// <summary>Gives back messages that wait for a destination which does not answer at this moment. Never fails.</summary>
    public Task HandBackAsync(IReadOnlyList<Delivery> deliveries)
    {
        Note(deliveries, DeliveryOutcome.Waiting, TimeSpan.Zero);
        return SettleAsync(deliveries);
    }

    /// <summary>
    /// Drops the connection, because so many messages to one destination are unanswered on it that the broker may have stopped reading from
    /// it, which would block all destinations. The destination must prove itself again.
    /// </summary>
    public void Suspect(DestinationQueue queue, int standing)
    {
        queue.Health.Suspect();
        if (!broker.IsReconnecting)
        {
            StandsStill(logger, standing, queue.Destination);
            GiveUpConnection();
        }
    }

    /// <summary>Has the outcome of messages recorded. Waits while the database does not keep up. Never fails.</summary>
    public async Task SettleAsync(IReadOnlyList<Delivery> deliveries)
    {
        try
        {
            await settlement.SettleAsync(deliveries);
        }
        catch (Exception exception)
        {
            NotSettled(logger, exception, deliveries.Count);
        }
    }

    private static void Note(IReadOnlyList<Delivery> deliveries, DeliveryOutcome outcome, TimeSpan restLeft)
    {
        foreach (var delivery in deliveries)
        {
            (delivery.Outcome, delivery.RestLeft) = (outcome, restLeft);
        }
    }

    // Makes messages that failed before due now, instead of much later. Only one such run at a time for each destination, and nobody waits
    // for it.
    private void Resume(DestinationQueue queue)
    {
        if (resuming.TryAdd(queue.Destination, true))
        {
            _ = ResumeAsync(queue);
        }
    }

    private async Task ResumeAsync(DestinationQueue queue)
    {
        var destination = queue.Destination;
        try
        {
            // Stop if the destination fails again: otherwise messages that are then postponed would be made due at once, again and again.
            while (!queue.Health.IsFailing && await store.ResumeAsync(destination, CancellationToken.None) > 0) { }
        }
        catch (Exception exception)
        {
            // The messages become due by themselves, later.
            NotResumed(logger, exception, destination);
        }
        finally
        {
            resuming.TryRemove(destination, out _);
        }
    }

    private void Forget()
    {
        foreach (var (destination, queue) in queues)
        {
            if (queue is { IsIdle: true, Health.IsFailing: false })
            {
                queues.TryRemove(destination, out _);
            }
        }
    }

    private void NoteAnswers(DestinationQueue queue, IReadOnlyList<Delivery> deliveries)
    {
        if (deliveries.Any(d => d.Outcome == DeliveryOutcome.Confirmed))
        {
            Volatile.Write(ref attemptsWithoutConfirm, 0);
        }

        var silent = deliveries.Where(d => d.Outcome == DeliveryOutcome.Unanswered).ToList();
        if (
            silent.Count > 0
            && Interlocked.Add(ref unanswered, silent.Count) >= MaxUnanswered
                | Interlocked.Increment(ref attemptsWithoutConfirm) >= MaxAttemptsWithoutConfirm
        )
        {
            Volatile.Write(ref unanswered, 0);
            Volatile.Write(ref attemptsWithoutConfirm, 0);
            GiveUpConnection();

            // The messages on the connection got no answer, which may be due to others. A probe tells.
            queue.Health.Suspect();
            silent.ForEach(d => d.Outcome = DeliveryOutcome.Disconnected);
        }
    }

    private void GiveUpConnection()
    {
        broker.Dropped();
        buses.DropPublish();
    }

    private void Log(Destination destination, IReadOnlyList<Delivery> deliveries, bool wasFailing, DestinationHealth health)
    {
        var refused = deliveries.Where(d => d is { Outcome: DeliveryOutcome.Refused, Error: not null }).ToList();
        if (refused.Count > 0)
        {
            Refused(logger, refused.Count, destination, refused[0].Error!);
        }
        else if (health is { IsFailing: true, IsSuspect: false } && !wasFailing)
        {
            Silent(logger, destination, options.PublishTimeout.TotalSeconds);
        }
        else if (wasFailing && !health.IsFailing)
        {
            Answers(logger, destination);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Count} messages to {Destination} are unanswered; they may block the whole connection."
    )]
    private static partial void StandsStill(ILogger logger, int count, Destination destination);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The broker refused {Count} outbox messages to {Destination}; they are tried again later."
    )]
    private static partial void Refused(ILogger logger, int count, Destination destination, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The broker did not confirm messages to {Destination} within {Seconds} s; they are tried again later. Other destinations are not affected."
    )]
    private static partial void Silent(ILogger logger, Destination destination, double seconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "The broker confirms messages to {Destination} again.")]
    private static partial void Answers(ILogger logger, Destination destination);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Postponed outbox messages to {Destination} could not be made due; they are sent when their pause is over."
    )]
    private static partial void NotResumed(ILogger logger, Exception exception, Destination destination);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The outcome of {Count} messages could not be written; they are sent again when their lease ends."
    )]
    private static partial void NotSettled(ILogger logger, Exception exception, int count);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Messages to {Destination} could not be sent; a sweep sends them when their lease ends."
    )]
    private static partial void Failed(ILogger logger, Exception exception, Destination destination);
}

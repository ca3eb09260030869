namespace Platform.Outbox;

/// <summary>
/// Whether a destination takes messages. One that does not answer, or that refuses twice in a row, rests; then a single message finds out
/// for all of them.
/// </summary>
internal sealed class DestinationHealth(TimeProvider time)
{
    // A refusal closes the channel under every other message of the process, so its next try is further away.
    private static readonly TimeSpan RestAfterRefusal = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestRest = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Proof = TimeSpan.FromSeconds(10);

    // Not a rest: the next message is a probe.
    private static readonly TimeSpan Suspicion = TimeSpan.FromTicks(1);

    private long? confirmedAt;
    private long failedAt;
    private TimeSpan rest;
    private int refusedInARow;

    /// <summary>How long nothing is to be tried; not positive when it may.</summary>
    public TimeSpan RestLeft => rest == TimeSpan.Zero ? TimeSpan.Zero : rest - time.GetElapsedTime(failedAt);

    /// <summary>Whether it confirmed a message just now, so that many may be sent at once.</summary>
    public bool IsProven => rest == TimeSpan.Zero && confirmedAt is { } at && time.GetElapsedTime(at) < Proof;

    /// <summary>Whether it failed when last tried.</summary>
    public bool IsFailing => rest > TimeSpan.Zero;

    /// <summary>Whether it is not known to fail, and has to prove that it does not.</summary>
    public bool IsSuspect => rest == Suspicion;

    /// <summary>It stood still, or somebody else did on the same connection: one message finds out, at once.</summary>
    public void Suspect() => Rest(Suspicion);

    /// <summary>Notes what became of messages that were tried.</summary>
    public void Note(IReadOnlyCollection<Delivery> deliveries)
    {
        if (deliveries.Any(d => d.Outcome == DeliveryOutcome.Confirmed))
        {
            (confirmedAt, rest, refusedInARow) = (time.GetTimestamp(), TimeSpan.Zero, 0);
        }

        if (deliveries.Any(d => d.Outcome == DeliveryOutcome.Unanswered))
        {
            Rest(rest <= Suspicion ? ShortestRest : TimeSpan.FromTicks(Math.Min(2 * rest.Ticks, LongestRest.Ticks)));
        }
        else if (deliveries.Count(d => d.Outcome == DeliveryOutcome.Refused) is > 0 and var refused && (refusedInARow += refused) > 1)
        {
            Rest(RestAfterRefusal);
        }
    }

    private void Rest(TimeSpan duration) => (failedAt, rest) = (time.GetTimestamp(), duration);
}

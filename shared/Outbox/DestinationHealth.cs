namespace Platform.Outbox;

/// <summary>
/// Tells whether a destination takes messages. A destination that does not answer, or that refuses twice in a row, rests; then a single
/// message tests it for all that wait.
/// </summary>
internal sealed class DestinationHealth(TimeProvider time)
{
    // A refusal closes the channel under every other message of the process, so the next try comes later.
    private static readonly TimeSpan RestAfterRefusal = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ShortestRest = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Proof = TimeSpan.FromSeconds(10);

    // This is no real rest: it only makes the next message a probe.
    private static readonly TimeSpan Suspicion = TimeSpan.FromTicks(1);

    private long? confirmedAt;
    private long failedAt;
    private TimeSpan rest;
    private int refusedInARow;
    private bool isProbeChosen;

    /// <summary>How long nothing may be tried; zero or less when a try is allowed.</summary>
    public TimeSpan RestLeft => rest == TimeSpan.Zero ? TimeSpan.Zero : rest - time.GetElapsedTime(failedAt);

    /// <summary>Whether the destination confirmed a message just now, so that many may be sent at once.</summary>
    public bool IsProven => rest == TimeSpan.Zero && confirmedAt is { } at && time.GetElapsedTime(at) < Proof;

    /// <summary>Whether the destination failed at the last try.</summary>
    public bool IsFailing => rest > TimeSpan.Zero;

    /// <summary>Whether the destination must prove that it takes messages, although it is not known to fail.</summary>
    public bool IsSuspect => rest == Suspicion;

    /// <summary>
    /// Records that messages to this or another destination got no answer on the same connection: the next message tests it at once.
    /// </summary>
    public void Suspect() => Rest(Suspicion);

    /// <summary>Chooses, once for each rest, the message that tests the destination when the rest is over.</summary>
    /// <returns>True for the first caller since the rest began.</returns>
    public bool ChooseProbe() => !isProbeChosen && (isProbeChosen = true);

    /// <summary>Records the outcome of messages that were tried.</summary>
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

    private void Rest(TimeSpan duration) => (failedAt, rest, isProbeChosen) = (time.GetTimestamp(), duration, false);
}

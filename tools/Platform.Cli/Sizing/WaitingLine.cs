namespace Platform.Cli.Sizing;

/// <summary>
/// Tasks that arrive at random moments and wait in one line for the slots of all replicas (M/M/c, and M/G/c by its usual approximation).
/// </summary>
/// <param name="Rate">How many tasks arrive per second.</param>
/// <param name="Run">How long one task runs.</param>
/// <param name="Slots">How many tasks all replicas together run at once.</param>
internal sealed record WaitingLine(double Rate, TimeSpan Run, int Slots)
{
    /// <summary>How many tasks run at once on average while the slots keep up (Little's law).</summary>
    public double Load => Rate * Run.TotalSeconds;

    /// <summary>The share of the slots in use on average. At 1 or more, the line grows without end.</summary>
    public double Utilisation => Load / Slots;

    /// <summary>Whether the slots keep up with the arrivals.</summary>
    public bool KeepsUp => Utilisation < 1;

    /// <summary>How many tasks per second the slots can run.</summary>
    public double Capacity => Slots / Run.TotalSeconds;

    /// <summary>How many tasks end per second: as many as arrive, or as many as the slots can run if that is less.</summary>
    public double Throughput => Math.Min(Rate, Capacity);

    /// <summary>By how many tasks the line grows per second; 0 while the slots keep up.</summary>
    public double Growth => Rate - Throughput;

    /// <summary>The probability that a task finds all slots in use (Erlang C); 1 when the slots do not keep up.</summary>
    public double WaitProbability
    {
        get
        {
            if (!KeepsUp)
            {
                return 1;
            }

            // The recursion of Erlang B neither overflows nor loses digits.
            var blocked = 1.0;
            for (var slots = 1; slots <= Slots; slots++)
            {
                blocked = Load * blocked / (slots + (Load * blocked));
            }

            return blocked / (1 - (Utilisation * (1 - blocked)));
        }
    }

    /// <summary>How long a task waits for a slot on average; null when the line grows without end.</summary>
    /// <param name="variation">
    /// The standard deviation of the run time divided by its mean: 0 when all tasks take equally long, 1 (exponential) when nothing is
    /// known.
    /// </param>
    public TimeSpan? MeanWait(double variation = 1) =>
        KeepsUp ? Run * (WaitProbability / (Slots - Load) * (1 + (variation * variation)) / 2) : null;

    /// <summary>
    /// How long tasks wait on average if a <paramref name="burst"/> at <see cref="Rate"/> begins with an empty line. While the slots do not
    /// keep up, each task waits longer than the one before it.
    /// </summary>
    public TimeSpan MeanWaitInBurst(TimeSpan burst, double variation = 1) => MeanWait(variation) ?? burst * ((Utilisation - 1) / 2);
}

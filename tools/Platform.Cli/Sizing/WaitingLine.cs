namespace Platform.Cli.Sizing;

/// <summary>Tasks that come at random moments and wait in one line for the slots of all replicas (M/M/c, and M/G/c by its usual approximation).</summary>
/// <param name="Rate">Tasks that come per second.</param>
/// <param name="Run">How long one task runs.</param>
/// <param name="Slots">Tasks that run at once in all replicas together.</param>
internal sealed record WaitingLine(double Rate, TimeSpan Run, int Slots)
{
    /// <summary>Little's law: tasks that run at once on average, as long as the slots keep up.</summary>
    public double Load => Rate * Run.TotalSeconds;

    /// <summary>Share of the slots in use on average; 1 or more: the line grows without end.</summary>
    public double Utilisation => Load / Slots;

    /// <summary>Whether the slots keep up with what comes.</summary>
    public bool KeepsUp => Utilisation < 1;

    /// <summary>Tasks per second that the slots can run.</summary>
    public double Capacity => Slots / Run.TotalSeconds;

    /// <summary>Tasks per second that end: what comes, or what the slots can run when that is less.</summary>
    public double Throughput => Math.Min(Rate, Capacity);

    /// <summary>Tasks by which the line grows per second; 0 while the slots keep up.</summary>
    public double Growth => Rate - Throughput;

    /// <summary>Probability that a task finds all slots taken (Erlang C); 1 when the slots do not keep up.</summary>
    public double WaitProbability
    {
        get
        {
            if (!KeepsUp)
            {
                return 1;
            }

            // Erlang B by its recursion, which neither overflows nor loses digits.
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
    /// Standard deviation of the run time over its mean: 0 when all tasks take equally long, 1 (exponential) where nothing is known.
    /// </param>
    public TimeSpan? MeanWait(double variation = 1) =>
        KeepsUp ? Run * (WaitProbability / (Slots - Load) * (1 + (variation * variation)) / 2) : null;

    /// <summary>
    /// How long tasks wait on average when an empty line takes such a <paramref name="burst"/> of arrivals at <see cref="Rate"/>: while the
    /// slots do not keep up, each task waits longer than the one before it.
    /// </summary>
    public TimeSpan MeanWaitInBurst(TimeSpan burst, double variation = 1) => MeanWait(variation) ?? burst * ((Utilisation - 1) / 2);
}

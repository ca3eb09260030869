namespace Platform.Outbox;

/// <summary>
/// Destinations that the broker refused twice in a row. They rest for a while: each further try would close the channel under every
/// other message of the process.
/// </summary>
internal sealed class RefusedDestinations(TimeProvider time)
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, (int InARow, long Last)> refusals = [];

    public bool Contains(string destination) =>
        refusals.TryGetValue(destination, out var refusal) && refusal.InARow > 1 && time.GetElapsedTime(refusal.Last) < Rest;

    public void Add(string destination) => refusals[destination] = (refusals.GetValueOrDefault(destination).InARow + 1, time.GetTimestamp());

    public void Remove(string destination) => refusals.Remove(destination);
}

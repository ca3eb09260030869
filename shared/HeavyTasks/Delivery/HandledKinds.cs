namespace Platform.HeavyTasks;

/// <summary>The kinds that this worker runs.</summary>
internal sealed class HandledKinds
{
    private readonly Dictionary<string, HandledKind> byName;

    /// <summary>For dependency injection.</summary>
    /// <exception cref="InvalidOperationException">Two handlers claim the same kind.</exception>
    public HandledKinds(IEnumerable<HandledKind> kinds)
    {
        byName = new Dictionary<string, HandledKind>(StringComparer.Ordinal);
        foreach (var kind in kinds)
        {
            if (!byName.TryAdd(kind.Name, kind))
            {
                throw new InvalidOperationException(
                    $"Kind {kind.Name} has two handlers: {byName[kind.Name].HandlerType.Name} and {kind.HandlerType.Name}."
                );
            }
        }
    }

    /// <summary>Whether the bus has their queues (<see cref="HeavyTaskQueues.AddHeavyTaskQueues"/>).</summary>
    public bool AreReceived { get; set; }

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<HandledKind> All => byName.Values;

    /// <summary>The kind of this name, or null.</summary>
    public HandledKind? Find(string name) => byName.GetValueOrDefault(name);
}

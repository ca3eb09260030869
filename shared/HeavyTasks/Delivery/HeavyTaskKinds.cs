namespace Platform.HeavyTasks;

/// <summary>The kinds that this worker runs.</summary>
public sealed class HeavyTaskKinds
{
    private readonly Dictionary<string, HeavyTaskKind> byName;

    /// <summary>For dependency injection.</summary>
    /// <exception cref="InvalidOperationException">Two handlers claim the same kind.</exception>
    public HeavyTaskKinds(IEnumerable<HeavyTaskKind> kinds)
    {
        byName = new Dictionary<string, HeavyTaskKind>(StringComparer.Ordinal);
        foreach (var kind in kinds)
        {
            if (!byName.TryAdd(kind.Name, kind))
            {
                throw new InvalidOperationException(
                    $"Kind {kind.Name} has two handlers: {byName[kind.Name].HandlerType.Name} and {kind.HandlerType.Name}.");
            }
        }
    }

    /// <summary>All of them.</summary>
    public IReadOnlyCollection<HeavyTaskKind> All => byName.Values;

    /// <summary>The kind of this name, or null.</summary>
    public HeavyTaskKind? Find(string name) => byName.GetValueOrDefault(name);
}

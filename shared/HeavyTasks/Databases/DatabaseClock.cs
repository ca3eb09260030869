namespace Platform.HeavyTasks;

/// <summary>The database's clock, for use inside queries. Leases and due times are compared on it alone, never on a service's own clock.</summary>
internal static class DatabaseClock
{
    /// <summary>The time at the database, UTC. Only inside a LINQ query.</summary>
    /// <exception cref="InvalidOperationException">Called outside a query.</exception>
    public static DateTime UtcNow() => throw new InvalidOperationException("The database's clock can only be read inside a query.");
}

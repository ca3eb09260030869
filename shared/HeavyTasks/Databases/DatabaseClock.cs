namespace Platform.HeavyTasks;

/// <summary>
/// Reads the database's clock inside queries. Leases and due times are compared on this clock only, never on a service's own clock.
/// </summary>
internal static class DatabaseClock
{
    /// <summary>The database's time in UTC. May be used only inside a LINQ query.</summary>
    /// <exception cref="InvalidOperationException">Called outside a query.</exception>
    public static DateTime UtcNow() => throw new InvalidOperationException("The database's clock can only be read inside a query.");
}

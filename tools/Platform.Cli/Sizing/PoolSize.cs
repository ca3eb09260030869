namespace Platform.Cli.Sizing;

/// <summary>What a kind of heavy task needs: the concurrency and pool of each replica of its worker, and the totals.</summary>
/// <param name="Demand">The demand that was sized.</param>
/// <param name="Concurrency">The number of tasks that one replica runs at once.</param>
internal sealed record PoolSize(PoolDemand Demand, int Concurrency)
{
    /// <summary>The waiting line for the slots of all replicas.</summary>
    public WaitingLine Line => new(Demand.Rate, Demand.Run, Concurrency * Demand.Replicas);

    /// <summary>The waiting line with one replica gone; null when there is only one replica.</summary>
    public WaitingLine? LineWithoutOneReplica =>
        Demand.Replicas == 1 ? null : new WaitingLine(Demand.Rate, Demand.Run, Concurrency * (Demand.Replicas - 1));

    /// <summary>
    /// The <c>Database:MaxPoolSize</c> of one replica: what the worker's start-up check requires, so that tasks never wait for a
    /// connection.
    /// </summary>
    public int MaxPoolSize => (Concurrency * Demand.ConnectionsPerTask) + Demand.Reserved;

    /// <summary>The connections of all replicas, each with one for its liveness lock, and of the other services.</summary>
    public int TotalConnections => (Demand.Replicas * (MaxPoolSize + 1)) + Demand.OtherConnections;

    /// <summary>The connections that tasks in all replicas use at once on average, by Little's law.</summary>
    public double BusyConnections => Demand.Rate * Demand.Database.TotalSeconds * Demand.ConnectionsPerTask;

    /// <summary>
    /// The connections that the server has for the services: all but those for administrators, less a tenth, because the platform warns
    /// from nine tenths on.
    /// </summary>
    public int AvailableConnections => (int)((Demand.MaxConnections - PoolDemand.ServerReserved) * 0.9);

    /// <summary>Whether the server has enough connections without a pooler.</summary>
    public bool Fits => TotalConnections <= AvailableConnections;

    /// <summary>
    /// The server connections of a pooler in transaction mode in front of the server: those in use on average, plus the same headroom as
    /// the slots have.
    /// </summary>
    public int PoolerConnections => (int)Math.Ceiling((BusyConnections / Demand.Utilisation) + Demand.Reserved);

    /// <summary>Finds the smallest concurrency at which the slots are not busier than demanded.</summary>
    public static PoolSize Of(PoolDemand demand)
    {
        var slots = demand.Rate * demand.Run.TotalSeconds / demand.Utilisation;
        // A rounding error of the division must not cost a slot.
        var concurrency = (int)Math.Ceiling((slots / demand.Replicas) - 1e-9);
        return new PoolSize(demand, Math.Max(concurrency, 1));
    }
}

/// <summary>What must be known about a kind before it can be sized.</summary>
/// <param name="Rate">How many tasks arrive per second in the busiest minutes.</param>
/// <param name="Run">How long one task runs.</param>
internal sealed record PoolDemand(double Rate, TimeSpan Run)
{
    /// <summary>Connections that PostgreSQL keeps for administrators (<c>superuser_reserved_connections</c>).</summary>
    public const int ServerReserved = 3;

    /// <summary>How much of the run time a connection is in use; never more than <see cref="Run"/>.</summary>
    public TimeSpan Database { get; init; } = Run;

    /// <summary>The number of worker processes that share the load.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>The value of <c>HeavyTasks:Kinds:&lt;kind&gt;:ConnectionsPerTask</c>.</summary>
    public int ConnectionsPerTask { get; init; } = 1;

    /// <summary>The value of <c>HeavyTasks:ReservedConnections</c>.</summary>
    public int Reserved { get; init; } = 6;

    /// <summary>The share of the slots that may be busy on average; the rest is headroom for bursts.</summary>
    public double Utilisation { get; init; } = 0.7;

    /// <summary>The server's <c>max_connections</c>.</summary>
    public int MaxConnections { get; init; } = 100;

    /// <summary>The sum of the other services' pools.</summary>
    public int OtherConnections { get; init; } = 10;
}

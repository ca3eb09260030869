namespace Platform.Cli.Sizing;

/// <summary>What a kind of heavy task needs: concurrency and pool of each replica of its worker, and what that adds up to.</summary>
/// <param name="Demand">What was asked.</param>
/// <param name="Concurrency">Tasks at once in one replica.</param>
internal sealed record PoolSize(PoolDemand Demand, int Concurrency)
{
    /// <summary>The line before the slots of all replicas.</summary>
    public WaitingLine Line => new(Demand.Rate, Demand.Run, Concurrency * Demand.Replicas);

    /// <summary>The same with one replica gone; null when there is only one.</summary>
    public WaitingLine? LineWithoutOneReplica =>
        Demand.Replicas == 1 ? null : new WaitingLine(Demand.Rate, Demand.Run, Concurrency * (Demand.Replicas - 1));

    /// <summary><c>Database:MaxPoolSize</c> of one replica: what the worker's start-up check asks for, so tasks never wait for a connection.</summary>
    public int MaxPoolSize => (Concurrency * Demand.ConnectionsPerTask) + Demand.Reserved;

    /// <summary>Connections of all replicas, each with the one of its liveness lock, and of the other services.</summary>
    public int TotalConnections => (Demand.Replicas * (MaxPoolSize + 1)) + Demand.OtherConnections;

    /// <summary>Little's law again: connections that tasks use at once on average, in all replicas.</summary>
    public double BusyConnections => Demand.Rate * Demand.Database.TotalSeconds * Demand.ConnectionsPerTask;

    /// <summary>What the server has for the services: nine tenths, where the platform begins to warn, of all but those for administrators.</summary>
    public int AvailableConnections => (int)((Demand.MaxConnections - PoolDemand.ServerReserved) * 0.9);

    /// <summary>Whether the server can carry it without a pooler.</summary>
    public bool Fits => TotalConnections <= AvailableConnections;

    /// <summary>Server connections of a pooler in transaction mode before it: those in use on average and as much headroom as the slots have.</summary>
    public int PoolerConnections => (int)Math.Ceiling((BusyConnections / Demand.Utilisation) + Demand.Reserved);

    /// <summary>The smallest concurrency whose slots are busy at most as asked.</summary>
    public static PoolSize Of(PoolDemand demand)
    {
        var slots = demand.Rate * demand.Run.TotalSeconds / demand.Utilisation;
        // A tiny error of the division must not cost a slot.
        var concurrency = (int)Math.Ceiling((slots / demand.Replicas) - 1e-9);
        return new PoolSize(demand, Math.Max(concurrency, 1));
    }
}

/// <summary>What is known of a kind before it is sized.</summary>
/// <param name="Rate">Tasks that come per second, in the busiest minutes.</param>
/// <param name="Run">How long one task runs.</param>
internal sealed record PoolDemand(double Rate, TimeSpan Run)
{
    /// <summary>Connections that PostgreSQL keeps for administrators (<c>superuser_reserved_connections</c>).</summary>
    public const int ServerReserved = 3;

    /// <summary>Of the run time, with a connection in use; never more than <see cref="Run"/>.</summary>
    public TimeSpan Database { get; init; } = Run;

    /// <summary>Worker processes that share the load.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary><c>HeavyTasks:Kinds:&lt;kind&gt;:ConnectionsPerTask</c>.</summary>
    public int ConnectionsPerTask { get; init; } = 1;

    /// <summary><c>HeavyTasks:ReservedConnections</c>.</summary>
    public int Reserved { get; init; } = 6;

    /// <summary>Share of the slots that may be busy on average; the rest is headroom for bursts.</summary>
    public double Utilisation { get; init; } = 0.7;

    /// <summary><c>max_connections</c> of the server.</summary>
    public int MaxConnections { get; init; } = 100;

    /// <summary>Pools of the other services.</summary>
    public int OtherConnections { get; init; } = 10;
}

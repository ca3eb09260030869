namespace Platform.HeavyTasks;

/// <summary>
/// One running process of a service. A worker's claims carry its id as their owner; the process is alive while its lease is
/// valid and, where it holds one, its liveness lock is held.
/// </summary>
public class Instance
{
    /// <summary>New at every process start.</summary>
    public Guid Id { get; init; }

    /// <summary>Name of the service, as in <c>Application Name</c> of its connections.</summary>
    public string Service { get; init; } = "";

    /// <summary>Host and process id.</summary>
    public string Host { get; init; } = "";

    /// <summary>Version of the service.</summary>
    public string Version { get; init; } = "";

    /// <summary>When the process started (UTC, the database's clock).</summary>
    public DateTime StartedAt { get; init; }

    /// <summary>When it last renewed (UTC, the database's clock).</summary>
    public DateTime SeenAt { get; set; }

    /// <summary>Until when it counts as alive without renewing (UTC, the database's clock).</summary>
    public DateTime LeaseUntil { get; set; }

    /// <summary>Whether it holds a liveness lock; without one its lease alone decides.</summary>
    public bool HoldsLock { get; set; }

    /// <summary>Largest number of connections its pool opens.</summary>
    public int PoolMax { get; set; }

    /// <summary>Connections in use when it last renewed.</summary>
    public int PoolInUse { get; set; }

    /// <summary>Open connections not in use when it last renewed.</summary>
    public int PoolIdle { get; set; }

    /// <summary>Callers that waited for a connection when it last renewed.</summary>
    public int PoolWaiting { get; set; }

    /// <summary>Tasks it runs at once; 0 for a service that runs none.</summary>
    public int Slots { get; set; }

    /// <summary>Tasks it ran when it last renewed.</summary>
    public int InFlight { get; set; }
}

namespace Platform.HeavyTasks;

/// <summary>
/// One running process of a service. A worker's claims carry its id as their owner. The process is alive while its lease is valid and its
/// liveness lock, if it has one, is held.
/// </summary>
public class Instance
{
    /// <summary>The id of the process, new at every start.</summary>
    public Guid Id { get; init; }

    /// <summary>The name of the service, as in the <c>Application Name</c> of its connections.</summary>
    public string Service { get; init; } = "";

    /// <summary>Host and process id.</summary>
    public string Host { get; init; } = "";

    /// <summary>Version of the service.</summary>
    public string Version { get; init; } = "";

    /// <summary>When the process started (UTC, the database's clock).</summary>
    public DateTime StartedAt { get; init; }

    /// <summary>When the process last renewed its lease (UTC, the database's clock).</summary>
    public DateTime SeenAt { get; set; }

    /// <summary>When the lease ends unless it is renewed (UTC, the database's clock).</summary>
    public DateTime LeaseUntil { get; set; }

    /// <summary>Whether the process holds a liveness lock; without one, the lease alone decides.</summary>
    public bool HoldsLock { get; set; }

    /// <summary>The most connections that its pool opens.</summary>
    public int PoolMax { get; set; }

    /// <summary>Connections in use at the last renewal.</summary>
    public int PoolInUse { get; set; }

    /// <summary>Open connections not in use at the last renewal.</summary>
    public int PoolIdle { get; set; }

    /// <summary>Callers that waited for a connection at the last renewal.</summary>
    public int PoolWaiting { get; set; }

    /// <summary>
    /// Who had held connections of its pool longest at the last renewal, as JSON; null when nobody had held one for long.
    /// </summary>
    public string? ConnectionHolders { get; set; }

    /// <summary>How many tasks it can run at once; 0 for a service that runs none.</summary>
    public int Slots { get; set; }

    /// <summary>How many tasks it ran at the last renewal.</summary>
    public int InFlight { get; set; }

    /// <summary>The slots of each kind at the last renewal, as JSON; null for a service that runs no tasks.</summary>
    public string? KindSlots { get; set; }

    /// <summary>
    /// When somebody told this worker to drain (UTC): it begins no task until it is told to go on, or is started anew. Null: it works.
    /// </summary>
    public DateTime? DrainedAt { get; internal set; }
}

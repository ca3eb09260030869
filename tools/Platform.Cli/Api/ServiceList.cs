namespace Platform.Cli.Api;

/// <summary><c>GET /services</c>: the living instances of every service, and the budget of connections.</summary>
internal sealed record ServiceList
{
    /// <summary>The time on the database's clock.</summary>
    public DateTimeOffset? Now { get; init; }

    public required IReadOnlyList<Service> Services { get; init; }

    public ConnectionBudget? Connections { get; init; }
}

/// <summary>One service.</summary>
internal sealed record Service
{
    public string Name { get; init; } = "";

    public required IReadOnlyList<ServiceInstance> Instances { get; init; }
}

/// <summary>One process of a service, as it was when it last renewed its row (<see cref="SeenAt"/>).</summary>
internal sealed record ServiceInstance
{
    /// <summary>The id by which it is drained.</summary>
    public Guid Id { get; init; }

    public string Host { get; init; } = "";

    public string Version { get; init; } = "";

    public DateTimeOffset? SeenAt { get; init; }

    public required PoolState Pool { get; init; }

    public int Slots { get; init; }

    public int InFlight { get; init; }

    /// <summary>Since when it begins no tasks because somebody told it to drain; null when it does not.</summary>
    public DateTimeOffset? DrainedAt { get; init; }

    /// <summary>Who holds connections, the longest first. An older API does not send this.</summary>
    public IReadOnlyList<ConnectionHolder> ConnectionHolders { get; init; } = [];
}

/// <summary>A pool of connections.</summary>
internal sealed record PoolState
{
    public int Max { get; init; }

    public int InUse { get; init; }

    public int Idle { get; init; }

    public int Waiting { get; init; }
}

/// <summary>Who holds a connection, and for how long.</summary>
internal sealed record ConnectionHolder
{
    public string? Kind { get; init; }

    public Guid? TaskId { get; init; }

    public int? Attempt { get; init; }

    public string? Route { get; init; }

    public string? Name { get; init; }

    public bool HasEnded { get; init; }

    public double HeldSeconds { get; init; }

    /// <summary>Seconds since a statement last ran on the connection; null while one runs.</summary>
    public double? IdleSeconds { get; init; }

    public bool IdleTooLong { get; init; }
}

/// <summary>The connections that all pools may open together, compared with what the server accepts.</summary>
internal sealed record ConnectionBudget
{
    public int Max { get; init; }

    public int Reserved { get; init; }

    public int Available { get; init; }

    public int Pools { get; init; }

    public int Direct { get; init; }

    public bool NearlySpent { get; init; }
}

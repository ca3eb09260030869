namespace Platform.HeavyTasks;

/// <summary>What a service that runs tasks tells about itself in its row of <c>instances</c>.</summary>
internal interface IInstanceLoad
{
    /// <summary>Tasks it runs at once.</summary>
    int Slots { get; }

    /// <summary>Tasks it runs now.</summary>
    int InFlight { get; }

    /// <summary>Whether it holds its liveness lock now.</summary>
    bool HoldsLock { get; }
}

namespace Platform.HeavyTasks;

/// <summary>What a service that runs tasks reports about itself in its row of <c>instances</c>.</summary>
internal interface IInstanceLoad
{
    /// <summary>How many tasks it can run at once.</summary>
    int Slots { get; }

    /// <summary>The slots of each kind.</summary>
    IEnumerable<KindSlotCount> KindSlots { get; }

    /// <summary>How many tasks it runs now.</summary>
    int InFlight { get; }

    /// <summary>Whether it holds its liveness lock now.</summary>
    bool HoldsLock { get; }
}

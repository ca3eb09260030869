namespace Platform.HeavyTasks;

/// <summary>What a worker reports about itself in its row of <c>instances</c>.</summary>
internal sealed class WorkerLoad(HeavyTaskSlots slots, RunningAttempts runningAttempts, LivenessLock livenessLock) : IInstanceLoad
{
    public int Slots => slots.Total;

    public IEnumerable<KindSlotCount> KindSlots => slots.Counts;

    public int InFlight => runningAttempts.Count;

    public bool HoldsLock => livenessLock.IsHeld;
}

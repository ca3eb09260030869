using Platform.Persistence;

namespace Platform.HeavyTasks;

/// <summary>What a worker tells about itself in its row of <c>instances</c>.</summary>
internal sealed class WorkerLoad(HeavyTaskSlots slots, RunningTasks runningTasks, LivenessLock livenessLock) : IInstanceLoad
{
    public int Slots => slots.Total;

    public int InFlight => runningTasks.Count;

    public bool HoldsLock => livenessLock.IsHeld;
}

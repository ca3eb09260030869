namespace Platform.HeavyTasks.Testing;

/// <summary>
/// Makes an attempt die after the commit of a checkpoint, as if its worker were killed: the task is taken over as that of a dead worker is,
/// and nothing that the attempt still does has an effect.
/// </summary>
internal sealed class KillAfterCheckpoint(TakeOver takeOver) : IAttemptObserver
{
    private int left;

    /// <summary>Whether the attempt still has to die.</summary>
    public bool IsArmed => Volatile.Read(ref left) > 0;

    /// <summary>Chooses the checkpoint, 1 for the next one; null for none.</summary>
    public void Arm(int? checkpoint)
    {
        if (checkpoint is < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(checkpoint), checkpoint, "The first checkpoint is number 1.");
        }

        Volatile.Write(ref left, checkpoint ?? 0);
    }

    /// <inheritdoc />
    public async Task CheckpointedAsync(HeavyTaskFence fence)
    {
        if (!IsArmed || Interlocked.Decrement(ref left) > 0)
        {
            return;
        }

        await takeOver.TakeAllAsync(fence.Owner, "The test killed its worker.", CancellationToken.None);
        throw new HeavyTaskFenceException(fence);
    }
}

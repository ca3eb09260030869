namespace Platform.HeavyTasks;

/// <summary>
/// Tells from repeated looks which owners of tasks are dead: their liveness lock stayed free, or their lease ended and was not renewed for a
/// whole lease, or they have no row. What is certain is only what was seen again and again; a sign of life ends all suspicion. A takeover
/// that comes too early costs an attempt but is never wrong, because of the fence.
/// </summary>
internal sealed class DeadOwners(LivenessTimes times, TimeProvider time)
{
    private readonly Standstills standstills = new(time);
    private readonly Dictionary<Guid, Suspicion> suspicions = [];

    /// <summary>Adds a look at some owners, and tells which of them are dead. Owners that are missing in a look are forgotten.</summary>
    public IReadOnlyList<DeadOwner> Judge(IReadOnlyCollection<OwnerLook> looks)
    {
        var now = standstills.Look();
        foreach (var forgotten in suspicions.Keys.Except(looks.Select(look => look.Owner)).ToArray())
        {
            suspicions.Remove(forgotten);
        }

        var dead = new List<DeadOwner>();
        foreach (var look in looks)
        {
            var suspicion = suspicions.GetValueOrDefault(look.Owner);
            if (suspicion is null || suspicion.SeenAt != look.SeenAt)
            {
                suspicion = new Suspicion(look.SeenAt, now, null);
            }

            suspicion = suspicion with { FreeSince = look.LockIsFree ? suspicion.FreeSince ?? now : null };
            suspicions[look.Owner] = suspicion;
            if (Why(look, suspicion, now) is { } why)
            {
                dead.Add(new DeadOwner(look.Owner, why));
            }
        }

        return dead;
    }

    private string? Why(OwnerLook look, Suspicion suspicion, long now)
    {
        var silent = standstills.Elapsed(suspicion.Since, now);
        return suspicion.FreeSince is { } freeSince && standstills.Elapsed(freeSince, now) >= times.FreeLock ? "Its worker died."
            : look.SeenAt is null ? (silent >= times.NoRow ? "Its worker has ended." : null)
            : look.LeaseEnded && silent >= times.Silence ? "The lease of its worker ended."
            : null;
    }

    /// <param name="SeenAt">The last sign of life; null when the owner has no row.</param>
    /// <param name="Since">Since when there was none after it, as far as this process looked.</param>
    /// <param name="FreeSince">Since when the owner's lock is free; null when it is held, or is no evidence.</param>
    private sealed record Suspicion(DateTime? SeenAt, long Since, long? FreeSince);
}

/// <summary>One look at an owner of tasks.</summary>
/// <param name="Owner">The id of the process.</param>
/// <param name="SeenAt">When it last renewed its lease; null when it has no row.</param>
/// <param name="LeaseEnded">Whether the lease has ended.</param>
/// <param name="LockIsFree">Whether it says that it holds a liveness lock, and nobody holds that lock.</param>
internal readonly record struct OwnerLook(Guid Owner, DateTime? SeenAt, bool LeaseEnded, bool LockIsFree);

/// <summary>An owner of tasks that is dead, and the reason that its tasks are told.</summary>
internal readonly record struct DeadOwner(Guid Owner, string Why);

using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Watches other workers and takes over the tasks of those that died. Each worker watches the next three living ones in the order of their
/// ids, and all dead ones in between, so that many workers do not all look at each other.
/// </summary>
internal sealed partial class OwnerWatch(
    InstanceIdentity instance,
    LivenessLock livenessLock,
    LivenessTimes times,
    TakeOver takeOver,
    IServiceScopeFactory scopes,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<OwnerWatch> logger
) : PollingLoop(LivenessTimes.Interval, time, logger)
{
    private const int LivingOwners = 3;

    // An owner without a row is an exception, and finding it means to read all running tasks.
    private static readonly TimeSpan WithoutRowInterval = TimeSpan.FromSeconds(5);

    // A dead owner has nothing left, unless a claim of its last moment was still under way at the server.
    private static readonly TimeSpan AgainInterval = TimeSpan.FromSeconds(5);

    // Longer than any transaction of the platform that another worker may have open on such a task.
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(3);

    private readonly DeadOwners deadOwners = new(times, time);
    private readonly Dictionary<Guid, long> lookAgainAt = [];
    private readonly Dictionary<Guid, long> lockedSince = [];
    private HashSet<Guid> dead = [];
    private Guid[] withoutRow = [];
    private long? lookedForWithoutRow;

    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        var looks = await LookAsync(stoppingToken);
        var found = deadOwners.Judge(looks);
        dead = [.. found.Select(owner => owner.Owner)];
        foreach (var known in lookAgainAt.Keys.Except(dead).ToArray())
        {
            lookAgainAt.Remove(known);
            lockedSince.Remove(known);
        }

        foreach (var owner in found)
        {
            await TakeOverAsync(owner, stoppingToken);
        }
    }

    private async Task<IReadOnlyCollection<OwnerLook>> LookAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        var workers = await db
            .Instances.AsNoTracking()
            .Where(i => i.Slots > 0)
            .OrderBy(i => i.Id)
            .Select(i => new Worker(i.Id, i.SeenAt, i.LeaseUntil <= DatabaseClock.UtcNow(), i.HoldsLock))
            .ToListAsync(cancellationToken);
        var watched = Watched(workers);
        var free = await FindFreeLocksAsync(db, watched, cancellationToken);
        await FindOwnersWithoutRowAsync(db, cancellationToken);
        return
        [
            .. watched.Select(w => new OwnerLook(w.Id, w.SeenAt, w.LeaseEnded, free.Contains(w.Id))),
            .. withoutRow
                .Where(id => workers.All(w => w.Id != id))
                .Select(id => new OwnerLook(id, SeenAt: null, LeaseEnded: true, LockIsFree: false)),
        ];
    }

    private List<Worker> Watched(List<Worker> workers)
    {
        var after = workers.FindIndex(w => w.Id.CompareTo(instance.Id) > 0);
        var first = after < 0 ? 0 : after;
        var watched = new List<Worker>();
        var living = 0;
        for (var step = 0; step < workers.Count && living < LivingOwners; step++)
        {
            var worker = workers[(first + step) % workers.Count];
            if (worker.Id != instance.Id)
            {
                watched.Add(worker);
                living += dead.Contains(worker.Id) ? 0 : 1;
            }
        }

        return watched;
    }

    // A worker that has just lost its own lock cannot tell whether the others died or lost theirs in the same way.
    private async Task<HashSet<Guid>> FindFreeLocksAsync(DbContext db, List<Worker> watched, CancellationToken cancellationToken)
    {
        var locking = watched.Where(w => w.HoldsLock).Select(w => w.Id).ToArray();
        return locking.Length == 0 || (options.Value.LivenessLock && livenessLock.HeldFor < times.Credible)
            ? []
            : await Dialect.Current.FindUnlockedAsync(db, locking, cancellationToken);
    }

    private async Task FindOwnersWithoutRowAsync(DbContext db, CancellationToken cancellationToken)
    {
        if (withoutRow.Length == 0 && lookedForWithoutRow is { } at && Time.GetElapsedTime(at) < WithoutRowInterval)
        {
            return;
        }

        lookedForWithoutRow = Time.GetTimestamp();
        var instances = db.Instances;
        withoutRow = await db
            .HeavyTasks.Where(t => t.Status == HeavyTaskStatus.Running && t.Owner != null && !instances.Any(i => i.Id == t.Owner))
            .Select(t => t.Owner!.Value)
            .Distinct()
            .Where(owner => owner != instance.Id)
            .ToArrayAsync(cancellationToken);
    }

    private async Task TakeOverAsync(DeadOwner owner, CancellationToken cancellationToken)
    {
        var now = Time.GetTimestamp();
        if (lookAgainAt.TryGetValue(owner.Owner, out var due) && now < due)
        {
            return;
        }

        await takeOver.TakeAllAsync(owner.Owner, owner.Why, cancellationToken);
        if (!await takeOver.IsAnyLeftAsync(owner.Owner, cancellationToken))
        {
            lookAgainAt[owner.Owner] = now + (long)(AgainInterval.TotalSeconds * Time.TimestampFrequency);
            lockedSince.Remove(owner.Owner);
            return;
        }

        // Somebody has locked the rest: for a moment, or the dead owner itself, whose sessions the server still knows.
        lookAgainAt[owner.Owner] = now;
        if (lockedSince.TryAdd(owner.Owner, now) || Time.GetElapsedTime(lockedSince[owner.Owner]) < LockPatience)
        {
            return;
        }

        lockedSince[owner.Owner] = now;
        var ended = await takeOver.EndSessionsAsync(owner.Owner, cancellationToken);
        if (ended > 0)
        {
            SessionsEnded(logger, owner.Owner, ended);
        }
        else
        {
            StillLocked(logger, owner.Owner, LockPatience.TotalSeconds);
        }
    }

    private sealed record Worker(Guid Id, DateTime SeenAt, bool LeaseEnded, bool HoldsLock);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Worker {Owner} is dead, but {Count} of its sessions still held locks on its tasks; the server ended them."
    )]
    private static partial void SessionsEnded(ILogger logger, Guid owner, int count);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Worker {Owner} is dead, but a transaction has held locks on its tasks for more than {Seconds} s, so they cannot be taken over. Whose it is could not be found out, or it may not be ended (on MariaDB that needs the PROCESS privilege, on MySQL SELECT on performance_schema)."
    )]
    private static partial void StillLocked(ILogger logger, Guid owner, double seconds);
}

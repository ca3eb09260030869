using System.Text;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Outbox;
using Platform.Persistence;
using Platform.Support;

namespace Platform.Faults.Tests;

/// <summary>Waits for quiet after faults, and counts: nothing lost, nothing twice, nothing wrongly failed, nothing left behind.</summary>
/// <param name="Accepted">Tasks that were answered 202.</param>
/// <param name="Effects">Rows that they wrote.</param>
/// <param name="Crashes">Attempts whose worker died.</param>
/// <param name="Attempts">All attempts.</param>
/// <param name="TasksEnded">How long after the last request the last task had ended.</param>
/// <param name="Quiet">How long after it outbox and queues were empty, too.</param>
public sealed record Ledger(int Accepted, int Effects, int Crashes, int Attempts, TimeSpan TasksEnded, TimeSpan Quiet)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    // Tasks may come in faster than a slow machine runs them; it has time for what is left.
    private const double SlowTasksPerSecond = 50;

    /// <summary>What became of the tasks of killed workers.</summary>
    internal IReadOnlyList<Revival> Revivals { get; private init; } = [];

    public static async Task<Ledger> CheckAsync(FaultSystem system)
    {
        await system.Load.StopAsync();
        system.Load.Refused.ShouldBeEmpty();
        var start = TimeProvider.System.GetTimestamp();
        var accepted = system.Load.Accepted.ToList();
        await WaitForTasksAsync(system, Patience + TimeSpan.FromSeconds(accepted.Count / SlowTasksPerSecond));
        var tasksEnded = TimeProvider.System.GetElapsedTime(start);
        await Eventually.Async(
            async () =>
            {
                await using var db = system.CreateContext();
                return !await db.Set<OutboxMessage>().AnyAsync();
            },
            Patience,
            "the outbox is empty"
        );
        await Eventually.Async(
            async () => (await system.Broker.VirtualHost.QueueDepthsAsync()).Values.All(depth => depth == 0),
            Patience,
            "the queues are empty"
        );
        var quiet = TimeProvider.System.GetElapsedTime(start);
        await using var context = system.CreateContext();
        var tasks = await context.HeavyTasks.AsNoTracking().ToDictionaryAsync(t => t.Id);

        // A request that was never answered may have been accepted; all that were answered must be there.
        accepted.Where(t => !tasks.ContainsKey(t.Id)).ShouldBeEmpty();
        tasks.Values.Where(t => t.Status != HeavyTaskStatus.Succeeded).Select(t => $"{t.Id} {t.Kind} {t.Status} {t.Error}").ShouldBeEmpty();
        tasks.Values.Where(t => t.Owner != null).ShouldBeEmpty();
        var effects = await CheckEffectsAsync(context, accepted);
        var attempts = await CheckAttemptsAsync(context, tasks);
        await CheckFilesAsync(context, accepted, tasks);
        var crashes = tasks.Values.Sum(t => t.Crashes);
        if (system.Deaths == 0)
        {
            crashes.ShouldBe(0, "no process died");
        }

        await CheckConnectionsAsync(system);
        var revivals = await RevivalsAsync(context, system);
        return new Ledger(accepted.Count, effects, crashes, attempts, tasksEnded, quiet) { Revivals = revivals };
    }

    private static async Task WaitForTasksAsync(FaultSystem system, TimeSpan patience)
    {
        List<HeavyTask> left = [];
        try
        {
            await Eventually.Async(
                async () =>
                {
                    await using var db = system.CreateContext();
                    left = await db.HeavyTasks.AsNoTracking().Where(t => !HeavyTaskStatuses.Final.Contains(t.Status)).Take(5).ToListAsync();
                    return left.Count == 0;
                },
                patience,
                "every task has ended"
            );
        }
        catch (TimeoutException exception)
        {
            var tasks = left.Select(t => $"{t.Id} {t.Kind} {t.Status}, attempt {t.Attempt}, queued {t.QueuedAt:T}, due {t.DueAt:T}");
            throw new TimeoutException($"{exception.Message} {string.Join("; ", tasks)}", exception);
        }
    }

    // Database, test and workers read one clock.
    private static async Task<IReadOnlyList<Revival>> RevivalsAsync(PlatformDbContext context, FaultSystem system)
    {
        var revivals = new List<Revival>();
        foreach (var (worker, at) in system.Kills)
        {
            var name = $":{worker}";
            revivals.AddRange(
                from died in await context
                    .HeavyTaskAttempts.Where(a => a.Outcome == AttemptOutcome.Crashed && a.Worker.EndsWith(name) && a.EndedAt > at)
                    .ToListAsync()
                join next in await context.HeavyTaskAttempts.Where(a => a.StartedAt > at).ToListAsync()
                    on (died.TaskId, died.Attempt + 1) equals (next.TaskId, next.Attempt)
                select new Revival(died.EndedAt!.Value - at, next.StartedAt - at)
            );
        }

        return revivals;
    }

    private static async Task<int> CheckEffectsAsync(PlatformDbContext context, List<SubmittedTask> accepted)
    {
        var written = await context.Users.Select(u => u.Name).ToListAsync();
        var expected = accepted.SelectMany(t => t.Steps == 0 ? [t.Name] : Enumerable.Range(0, t.Steps).Select(n => $"{t.Name}-{n}"));
        written.GroupBy(name => name).Where(g => g.Count() > 1).Select(g => g.Key).ShouldBeEmpty("no effect twice");
        expected.Except(written).ShouldBeEmpty("no effect lost");
        return written.Count;
    }

    private static async Task<int> CheckAttemptsAsync(PlatformDbContext context, Dictionary<Guid, HeavyTask> tasks)
    {
        var attempts = await context.HeavyTaskAttempts.AsNoTracking().ToListAsync();
        attempts.Where(a => a.Outcome == null || a.EndedAt == null).Select(a => $"{a.TaskId} {a.Attempt}").ShouldBeEmpty();
        foreach (var group in attempts.GroupBy(a => a.TaskId))
        {
            var task = tasks[group.Key];
            var own = group.OrderBy(a => a.Attempt).ToList();
            own.Select(a => a.Attempt).ShouldBe(Enumerable.Range(1, task.Attempt));
            own.Count(a => a.Outcome == AttemptOutcome.Succeeded).ShouldBe(1);
            own[^1].Outcome.ShouldBe(AttemptOutcome.Succeeded);
            own.Count(a => a.Outcome == AttemptOutcome.Crashed).ShouldBe(task.Crashes);
        }

        return attempts.Count;
    }

    private static async Task CheckFilesAsync(PlatformDbContext context, List<SubmittedTask> accepted, Dictionary<Guid, HeavyTask> tasks)
    {
        var store = new Dictionary<Guid, StoredFile>();
        foreach (var file in await context.Files.AsNoTracking().ToListAsync())
        {
            store[file.Id] = file;
        }

        foreach (var task in accepted.Where(t => t.HasFile))
        {
            var file = store[tasks[task.Id].ResultFileId!.Value];
            var content = await context
                .FileChunks.Where(c => c.FileId == file.Id)
                .OrderBy(c => c.Number)
                .Select(c => c.Data)
                .ToListAsync(TestContext.Current.CancellationToken);
            Encoding
                .UTF8.GetString([.. content.SelectMany(data => data)])
                .ShouldBe(string.Concat(Enumerable.Range(0, task.Steps).Select(n => $"{n}\n")));
            file.ClosedAt.ShouldNotBeNull();
        }

        var files = store.Keys.ToList();
        (await context.FileChunks.CountAsync(c => !files.Contains(c.FileId))).ShouldBe(0, "no orphaned chunk");
        store.Values.Count(f => f.TaskId is { } id && !tasks.ContainsKey(id)).ShouldBe(0, "no orphaned file");
    }

    // Nobody is busy now, so nobody holds a slot or waits for a connection for long. The pool counts a connection that is being opened as
    // waited for, and the loops of a process open some all the time. So each process has to be seen at rest once, not all at one moment.
    // Rows of processes that died tell of them for a lease.
    private static async Task CheckConnectionsAsync(FaultSystem system)
    {
        var restless = new Dictionary<Guid, string>();
        var resting = new HashSet<Guid>();
        try
        {
            await Eventually.Async(
                async () =>
                {
                    await using var db = system.CreateContext();
                    var instances = await db.Instances.AsNoTracking().Where(i => i.LeaseUntil > DatabaseClock.UtcNow()).ToListAsync();
                    resting.UnionWith(instances.Where(i => i.PoolWaiting == 0 && i.InFlight == 0).Select(i => i.Id));
                    restless = instances.Where(i => !resting.Contains(i.Id)).ToDictionary(i => i.Id, Describe);
                    return restless.Count == 0;
                },
                TimeSpan.FromSeconds(60),
                "no connection and no slot is held"
            );
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"{exception.Message} {string.Join("; ", restless.Values)}", exception);
        }

        static string Describe(Instance i) =>
            $"{i.Service} {i.Host}: {i.InFlight} tasks, pool {i.PoolInUse} in use, {i.PoolIdle} idle, {i.PoolWaiting} waiting; {i.ConnectionHolders}";
    }
}

/// <summary>What became of a task whose worker was killed.</summary>
/// <param name="TakenOver">How long after the kill it was queued again.</param>
/// <param name="RunAgain">How long after the kill its next attempt began; it waits in its queue like others.</param>
internal sealed record Revival(TimeSpan TakenOver, TimeSpan RunAgain);

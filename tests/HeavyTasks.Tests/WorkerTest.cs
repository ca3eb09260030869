using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Platform.HeavyTasks.Testing;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>A database with workers, for tests that must look at rows between the steps.</summary>
public abstract class WorkerTest : IAsyncLifetime
{
    private readonly List<HeavyTaskTestHarness> workers = [];

    protected TestScript Script { get; } = new();

    /// <summary>What the workers logged.</summary>
    protected RecordedLog Log { get; } = new();

    protected TestDatabase Database { get; private set; } = null!;

    /// <summary>How long the workers look at each other; short, because the tests wait for it.</summary>
    internal LivenessTimes Liveness { get; set; } =
        new()
        {
            Credible = TimeSpan.FromSeconds(1),
            Silence = TimeSpan.FromSeconds(2),
            NoRow = TimeSpan.FromSeconds(2),
        };

    public async ValueTask InitializeAsync() => Database = await TestDatabase.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var worker in workers)
        {
            await worker.DisposeAsync();
        }

        await Database.DisposeAsync();
        Log.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts a worker that runs <see cref="Script"/> and looks for work ten times a second.</summary>
    protected async Task<HeavyTaskTestHarness> StartWorkerAsync(params IEnumerable<(string Key, string Value)> settings)
    {
        (string, string)[] quick =
        [
            ("HeavyTasks:Interval", "00:00:00.1"),
            ("HeavyTasks:Kinds:test.kind:RetryDelay", "00:00:00.05"),
            ("HeavyTasks:DrainTimeout", "00:00:01"),
            ("HeavyTasks:DrainGrace", "00:00:01"),
        ];
        var worker = await HeavyTaskTestHarness.StartAsync<PlatformDbContext, TestHandler>(
            Database.ConnectionString,
            services =>
                services
                    .AddSingleton(Script)
                    .AddSingleton(Liveness)
                    .AddSingleton<ILoggerProvider>(Log)
                    .AddLogging(log => log.AddSimpleConsole(o => o.SingleLine = true).SetMinimumLevel(LogLevel.Warning)),
            settings: quick.Concat(settings)
        );
        workers.Add(worker);
        return worker;
    }

    /// <summary>Changes a status in a transaction.</summary>
    internal static async Task<bool> ChangeAsync(HeavyTaskTestHarness worker, Func<TaskLifecycle, Task<bool>> change)
    {
        await using var scope = worker.Services.CreateAsyncScope();
        await using var transaction = await scope.ServiceProvider.GetRequiredService<PlatformDbContext>().Database.BeginTransactionAsync();
        var changed = await change(scope.ServiceProvider.GetRequiredService<TaskLifecycle>());
        await transaction.CommitAsync();
        return changed;
    }

    protected async Task<HeavyTask> ReadAsync(Guid id)
    {
        await using var db = Database.CreateContext();
        return await db.HeavyTasks.AsNoTracking().SingleAsync(t => t.Id == id);
    }

    protected async Task<List<HeavyTaskAttempt>> AttemptsAsync(Guid id)
    {
        await using var db = Database.CreateContext();
        return await db.HeavyTaskAttempts.AsNoTracking().Where(a => a.TaskId == id).OrderBy(a => a.Attempt).ToListAsync();
    }

    /// <summary>Adds another process that is alive, so that nobody takes over its tasks.</summary>
    protected async Task<Guid> AddOtherWorkerAsync()
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var other = new Instance
        {
            Id = Guid.CreateVersion7(),
            Service = "another worker",
            Host = "host 42",
            Version = "1",
            StartedAt = now,
            SeenAt = now,
            LeaseUntil = now.AddHours(1),
            Slots = 2,
        };
        await using var db = Database.CreateContext();
        db.Instances.Add(other);
        await db.SaveChangesAsync();
        return other.Id;
    }

    /// <summary>Inserts a task without a message.</summary>
    protected async Task<Guid> InsertAsync(int maxFailures = 1, DateTime? dueAt = null, string parameters = "{}")
    {
        await using var db = Database.CreateContext();
        var task = HeavyTask.Submit("test.kind", parameters, maxFailures, TimeProvider.System.GetUtcNow().UtcDateTime, dueAt);
        db.Add(task);
        await db.SaveChangesAsync();
        return task.Id;
    }

    /// <summary>Adds a process that is dead, or lives by its lease.</summary>
    protected async Task<Guid> AddInstanceAsync(int leaseSeconds, bool holdsLock)
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var instance = new Instance
        {
            Id = Guid.CreateVersion7(),
            Service = "dead",
            StartedAt = now,
            SeenAt = now,
            LeaseUntil = now.AddSeconds(leaseSeconds),
            HoldsLock = holdsLock,
            Slots = 2,
        };
        await using var db = Database.CreateContext();
        db.Add(instance);
        await db.SaveChangesAsync();
        return instance.Id;
    }

    /// <summary>Inserts a task that the owner runs.</summary>
    protected async Task<Guid> ClaimForAsync(Guid owner)
    {
        var id = await InsertAsync();
        await using var db = Database.CreateContext();
        (await Dialect.Current.ClaimAsync(db, id, owner, "dead:1", TestContext.Current.CancellationToken)).ShouldNotBeNull();
        return id;
    }
}

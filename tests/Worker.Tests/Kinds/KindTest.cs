using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Testing;
using Platform.Persistence;
using Platform.Support;

namespace Platform.Worker.Tests.Kinds;

/// <summary>A database, and a worker with one handler that uses it.</summary>
public abstract class KindTest : IAsyncLifetime
{
    private HeavyTaskTestHarness? worker;

    protected TestDatabase Database { get; private set; } = null!;

    protected HeavyTaskTestHarness Worker => worker ?? throw new InvalidOperationException("Call StartWorkerAsync first.");

    private IFileStore Files => Worker.Services.GetRequiredService<IFileStore>();

    public async ValueTask InitializeAsync() => Database = await TestDatabase.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        if (worker is not null)
        {
            await worker.DisposeAsync();
        }

        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts the worker with its handlers. A failed attempt is followed by the next at once, as often as a test needs.</summary>
    protected Task StartWorkerAsync<THandler>(Action<IServiceCollection>? configure = null) =>
        StartWorkerAsync([typeof(THandler)], configure);

    /// <inheritdoc cref="StartWorkerAsync{THandler}"/>
    protected async Task StartWorkerAsync(IEnumerable<Type> handlers, Action<IServiceCollection>? configure = null) =>
        worker = await HeavyTaskTestHarness.StartAsync<PlatformDbContext>(
            handlers,
            Database.ConnectionString,
            configure,
            settings:
            [
                ("HeavyTasks:Interval", "00:00:00.1"),
                .. from kind in new[] { "users.import", "users.export", "users.statistics" }
                from setting in new[] { "RetryDelay", "MaxRetryDelay" }
                select ($"HeavyTasks:Kinds:{kind}:{setting}", "00:00:00.01"),
            ]
        );

    protected async Task<Guid> UploadAsync(byte[] content, string tenant = "")
    {
        using var stream = new MemoryStream(content);
        return (await Files.UploadAsync("users.csv", "text/csv", tenant, stream, long.MaxValue, CancellationToken.None)).Id;
    }

    /// <summary>The text of the task's result file.</summary>
    protected async Task<string> ReadResultFileAsync(HeavyTask task, string name)
    {
        var file = (await Files.FindAsync(task.ResultFileId.ShouldNotBeNull(), "", CancellationToken.None)).ShouldNotBeNull();
        file.Name.ShouldBe(name);
        using var content = new MemoryStream();
        await Files.OpenRead(file).CopyToAsync(content);
        return Encoding.UTF8.GetString(content.ToArray());
    }

    /// <summary>All users, by id.</summary>
    protected async Task<List<User>> UsersAsync()
    {
        await using var db = Database.CreateContext();
        return await db.Users.AsNoTracking().OrderBy(u => u.Id).ToListAsync();
    }

    protected async Task AddUsersAsync(IEnumerable<User> users)
    {
        await using var db = Database.CreateContext();
        db.Users.AddRange(users);
        await db.SaveChangesAsync();
    }
}

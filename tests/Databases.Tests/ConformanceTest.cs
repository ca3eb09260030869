using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Databases.Tests;

/// <summary>A database with the tables of <see cref="ConformanceDbContext"/>, for the tests of one class.</summary>
public sealed class ConformanceDatabase : IAsyncLifetime
{
    public TestDatabase Database { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync();
        await Database.EmptyAsync();
        await using var db = CreateContext();
        await db.Database.EnsureCreatedAsync();
    }

    public ValueTask DisposeAsync() => Database.DisposeAsync();

    public ConformanceDbContext CreateContext(string? connectionString = null)
    {
        var options = new DbContextOptionsBuilder<ConformanceDbContext>();
        Dialect.Current.Configure(options, connectionString ?? Database.ConnectionString);
        return new ConformanceDbContext(options.Options);
    }
}

/// <summary>
/// Tests, on a real server, what every implementation of <see cref="IDialect"/> must do. A third implementation is done when these tests
/// pass and only <c>tests/Support</c> had to be extended for it.
/// </summary>
public abstract class ConformanceTest(ConformanceDatabase database) : IClassFixture<ConformanceDatabase>
{
    protected static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    internal static IDialect Database => Dialect.Current;

    protected static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    protected TestDatabase Server => database.Database;

    protected ConformanceDbContext CreateContext(string? connectionString = null) => database.CreateContext(connectionString);

    /// <summary>Creates the pool that a service has with these settings.</summary>
    protected ServiceProvider CreateService(string applicationName, params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                settings.Append(("ConnectionStrings:Platform", Server.ConnectionString)).ToDictionary(s => s.Item1, s => (string?)s.Item2)
            )
            .Build();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddMetrics();
        services.AddSingleton<IConfiguration>(configuration);
        services.AddOptions<DatabaseOptions>().BindConfiguration("Database");
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new InstanceIdentity(applicationName));
        services.AddSingleton<DatabasePool>();
        services.AddSingleton<ConnectionHolders>();
        services.AddSingleton<PoolMetrics>();
        Database.AddContext<ConformanceDbContext>(services, applicationName, null);
        services.ConfigureDbContext<ConformanceDbContext>(options => Database.AddInterceptors(options), ServiceLifetime.Singleton);
        return services.BuildServiceProvider();
    }

    /// <summary>A statement that does not go through Entity Framework's change tracker; its parameter is the key.</summary>
    protected const string InsertThing = "INSERT INTO things (thing_key, name) VALUES ({0}, 'raw')";

    /// <summary>Creates a context on the pool of a service. The caller disposes it.</summary>
    protected static ConformanceDbContext CreateContextOf(IServiceProvider service) =>
        new(service.GetRequiredService<DbContextOptions<ConformanceDbContext>>());

    protected async Task<Guid> AddTaskAsync(DateTime? dueAt = null)
    {
        await using var db = CreateContext();
        var task = HeavyTask.Submit("test.kind", "{}", 5, TimeProvider.System.GetUtcNow().UtcDateTime, dueAt);
        db.Add(task);
        await db.SaveChangesAsync(Cancelled);
        return task.Id;
    }

    internal async Task<HeavyTaskFence> AddRunningTaskAsync()
    {
        var id = await AddTaskAsync();
        var owner = Guid.CreateVersion7();
        await using var db = CreateContext();
        var claimed = await Database.ClaimAsync(db, id, owner, "test:1", Cancelled);
        return new HeavyTaskFence(id, claimed!.Attempt, owner);
    }

    protected async Task<HeavyTask> ReadAsync(Guid id)
    {
        await using var db = CreateContext();
        return await db.HeavyTasks.AsNoTracking().SingleAsync(t => t.Id == id, Cancelled);
    }

    protected static string NewKey() => Guid.NewGuid().ToString("N");

    protected static async Task<object?> ScalarAsync(DbContext db, string sql)
    {
        await db.Database.OpenConnectionAsync(Cancelled);
        try
        {
            await using var command = db.Database.GetDbConnection().CreateCommand();
            command.CommandText = sql;
            return await command.ExecuteScalarAsync(Cancelled);
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }
}

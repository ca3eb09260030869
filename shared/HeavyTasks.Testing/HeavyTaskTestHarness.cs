using MassTransit;
using MassTransit.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.Contracts;
using Platform.Outbox;

namespace Platform.HeavyTasks.Testing;

/// <summary>
/// Runs a worker for tests, with MassTransit's in-memory test harness, the real consumer and a real database. To test a kind, start the
/// harness with its handler, run a task, and look at the row.
/// </summary>
public sealed class HeavyTaskTestHarness : IAsyncDisposable
{
    private readonly IHost host;

    private HeavyTaskTestHarness(IHost host) => this.host = host;

    /// <summary>MassTransit's harness, which shows what was consumed and published.</summary>
    public ITestHarness Bus => host.Services.GetRequiredService<ITestHarness>();

    /// <summary>The services of the worker.</summary>
    public IServiceProvider Services => host.Services;

    /// <summary>Starts a worker with one handler on a migrated database.</summary>
    /// <param name="connectionString">The connection string of the database.</param>
    /// <param name="configure">Further services, for example what the handler needs.</param>
    /// <param name="addEntityFrameworkServices">The same as for <c>AddHeavyTaskDatabase</c>.</param>
    /// <param name="settings">Settings such as <c>("HeavyTasks:MaxCrashes", "1")</c>; the last value of a key wins.</param>
    /// <typeparam name="TDbContext">The application's context.</typeparam>
    /// <typeparam name="THandler">The handler.</typeparam>
    public static Task<HeavyTaskTestHarness> StartAsync<TDbContext, THandler>(
        string connectionString,
        Action<IServiceCollection>? configure = null,
        Action<IServiceCollection>? addEntityFrameworkServices = null,
        params IEnumerable<(string Key, string Value)> settings
    )
        where TDbContext : DbContext =>
        StartAsync<TDbContext>([typeof(THandler)], connectionString, configure, addEntityFrameworkServices, settings);

    /// <summary>Starts a worker with several handlers.</summary>
    public static async Task<HeavyTaskTestHarness> StartAsync<TDbContext>(
        IEnumerable<Type> handlers,
        string connectionString,
        Action<IServiceCollection>? configure = null,
        Action<IServiceCollection>? addEntityFrameworkServices = null,
        params IEnumerable<(string Key, string Value)> settings
    )
        where TDbContext : DbContext
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration["ConnectionStrings:Platform"] = connectionString;
        foreach (var (key, value) in settings)
        {
            builder.Configuration[key] = value;
        }

        builder.Services.AddHeavyTaskTestHarness<TDbContext>(handlers, addEntityFrameworkServices);
        configure?.Invoke(builder.Services);
        var started = builder.Build();
        await started.StartAsync();
        return new HeavyTaskTestHarness(started);
    }

    /// <summary>
    /// Applies the migrations of a context, as a deployment does before its services start. Makes the database when it is missing and the user may.
    /// </summary>
    /// <param name="connectionString">The database. Not one that services use: a worker for tests takes over what it finds there.</param>
    /// <param name="addEntityFrameworkServices">As with <c>AddHeavyTaskDatabase</c>.</param>
    /// <typeparam name="TDbContext">The application's context.</typeparam>
    public static async Task MigrateAsync<TDbContext>(
        string connectionString,
        Action<IServiceCollection>? addEntityFrameworkServices = null
    )
        where TDbContext : DbContext
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration["ConnectionStrings:Platform"] = connectionString;
        builder.Services.AddHeavyTaskTestHarness<TDbContext>([], addEntityFrameworkServices);
        await using var services = builder.Services.BuildServiceProvider();
        await using var scope = services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<TDbContext>().Database.MigrateAsync();
    }

    /// <summary>Submits a task as the API does: saves its row and its message in one SaveChanges.</summary>
    public async Task<Guid> SubmitAsync<TParameters>(TParameters parameters, int maxFailures = 1)
        where TParameters : class
    {
        await using var scope = host.Services.CreateAsyncScope();
        var options = new HeavyTaskSubmitOptions { MaxFailures = maxFailures };
        var id = await scope.ServiceProvider.GetRequiredService<IHeavyTasks>().SubmitAsync(parameters, options);
        await scope.ServiceProvider.GetRequiredService<EngineContext>().Db.SaveChangesAsync();
        return id;
    }

    /// <summary>Submits a task, waits until it has succeeded, failed or been cancelled, and returns its row.</summary>
    /// <param name="parameters">The parameters of the task.</param>
    /// <param name="maxFailures">The number of failures after which the task is given up.</param>
    /// <param name="killAfterCheckpoint">
    /// The number of the checkpoint, 1 for the first, after whose commit the first attempt dies: another attempt takes the task over and
    /// goes on from there. Fewer checkpoints than that fail the call. Default: nobody dies.
    /// </param>
    /// <exception cref="InvalidOperationException">The task ended before the checkpoint after which it was to be killed.</exception>
    public async Task<HeavyTask> RunAsync<TParameters>(TParameters parameters, int maxFailures = 1, int? killAfterCheckpoint = null)
        where TParameters : class
    {
        var kill = host.Services.GetRequiredService<KillAfterCheckpoint>();
        kill.Arm(killAfterCheckpoint);
        var id = await SubmitAsync(parameters, maxFailures);
        var task = await FinishedAsync(id);
        return kill.IsArmed
            ? throw new InvalidOperationException($"The task ended, {task.Status}, before checkpoint {killAfterCheckpoint}. {task.Error}")
            : task;
    }

    /// <summary>Waits for the event that ends a task, at most the harness's TestTimeout, and returns the task's row.</summary>
    /// <exception cref="TimeoutException">The event did not arrive in time.</exception>
    public async Task<HeavyTask> FinishedAsync(Guid taskId)
    {
        using var first = new CancellationTokenSource();
        var ended = await Task.WhenAny(
            Bus.Consumed.Any<HeavyTaskSucceeded>(m => m.Context.Message.TaskId == taskId, first.Token),
            Bus.Consumed.Any<HeavyTaskFailed>(m => m.Context.Message.TaskId == taskId, first.Token),
            Bus.Consumed.Any<HeavyTaskCancelled>(m => m.Context.Message.TaskId == taskId, first.Token)
        );
        var found = await ended;
        await first.CancelAsync();
        var task = await ReadAsync(taskId);
        return found ? task : throw new TimeoutException($"Task {taskId} did not end; it is {task.Status}. {task.Error}");
    }

    /// <summary>Reads the current row of a task.</summary>
    public async Task<HeavyTask> ReadAsync(Guid taskId)
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await scope
            .ServiceProvider.GetRequiredService<EngineContext>()
            .Db.HeavyTasks.AsNoTracking()
            .SingleAsync(t => t.Id == taskId);
    }

    /// <summary>Stops the worker as SIGTERM does: it drains first.</summary>
    public Task StopAsync() => host.StopAsync();

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        if (host is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync();
        }
    }
}

/// <summary>Registers the worker for tests.</summary>
public static class HeavyTaskTestHarnessExtensions
{
    /// <summary>Adds a worker on MassTransit's in-memory test harness: bus, database, outbox and the given handlers.</summary>
    public static IServiceCollection AddHeavyTaskTestHarness<TDbContext>(
        this IServiceCollection services,
        IEnumerable<Type> handlers,
        Action<IServiceCollection>? addEntityFrameworkServices = null
    )
        where TDbContext : DbContext
    {
        services.AddLogging();
        services.AddMassTransitTestHarness(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.SetTestTimeouts(testTimeout: TimeSpan.FromMinutes(1), testInactivityTimeout: TimeSpan.FromSeconds(20));
            bus.AddOutbox<TDbContext>();
            bus.AddHeavyTaskConsumer();

            // With these listeners the harness sees the final events arrive, and not only leave.
            bus.AddHandler((HeavyTaskSucceeded _) => Task.CompletedTask);
            bus.AddHandler((HeavyTaskFailed _) => Task.CompletedTask);
            bus.AddHandler((HeavyTaskCancelled _) => Task.CompletedTask);
            bus.UsingInMemory(
                (context, inMemory) =>
                {
                    inMemory.UseHeavyTaskTopology();
                    inMemory.AddHeavyTaskQueues(context);
                    inMemory.ConfigureEndpoints(context);
                }
            );
        });
        services.AddHeavyTaskDatabase<TDbContext>("platform-tests", addEntityFrameworkServices);
        services.AddHeavyTasks<TDbContext>(handlers);
        services.AddSingleton<KillAfterCheckpoint>();
        services.AddSingleton<IAttemptObserver>(provider => provider.GetRequiredService<KillAfterCheckpoint>());
        return services;
    }

    /// <summary>Adds the same with one handler.</summary>
    public static IServiceCollection AddHeavyTaskTestHarness<TDbContext, THandler>(this IServiceCollection services)
        where TDbContext : DbContext => services.AddHeavyTaskTestHarness<TDbContext>([typeof(THandler)]);
}

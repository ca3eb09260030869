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
/// A worker for tests: MassTransit's in-memory test harness, the real consumer, the real database. A test of a kind is: start it with
/// the handler, run a task, look at the row.
/// </summary>
public sealed class HeavyTaskTestHarness : IAsyncDisposable
{
    private readonly IHost host;

    private HeavyTaskTestHarness(IHost host) => this.host = host;

    /// <summary>MassTransit's harness: what was consumed and published.</summary>
    public ITestHarness Bus => host.Services.GetRequiredService<ITestHarness>();

    /// <summary>The services of the worker.</summary>
    public IServiceProvider Services => host.Services;

    /// <summary>Starts a worker with one handler on a migrated database.</summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="configure">Further services, for example what the handler needs.</param>
    /// <param name="addEntityFrameworkServices">As with <c>AddHeavyTaskDatabase</c>.</param>
    /// <param name="settings">Settings such as <c>("HeavyTasks:MaxCrashes", "1")</c>; the last of a key wins.</param>
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

    /// <summary>Submits a task as the API does: its row and its message in one SaveChanges.</summary>
    public async Task<Guid> SubmitAsync<TParameters>(TParameters parameters, int maxAttempts = 1)
        where TParameters : class
    {
        await using var scope = host.Services.CreateAsyncScope();
        var options = new HeavyTaskSubmitOptions { MaxAttempts = maxAttempts };
        var id = await scope.ServiceProvider.GetRequiredService<IHeavyTasks>().SubmitAsync(parameters, options);
        await scope.ServiceProvider.GetRequiredService<EngineContext>().Db.SaveChangesAsync();
        return id;
    }

    /// <summary>Submits a task and waits until it succeeded, failed or was cancelled; then returns its row.</summary>
    public async Task<HeavyTask> RunAsync<TParameters>(TParameters parameters, int maxAttempts = 1)
        where TParameters : class
    {
        var id = await SubmitAsync(parameters, maxAttempts);
        return await FinishedAsync(id);
    }

    /// <summary>Waits for the event that ends a task (up to the harness's TestTimeout), then returns its row.</summary>
    /// <exception cref="TimeoutException">No such event came.</exception>
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

    /// <summary>The row of a task as it is now.</summary>
    public async Task<HeavyTask> ReadAsync(Guid taskId)
    {
        await using var scope = host.Services.CreateAsyncScope();
        return await scope
            .ServiceProvider.GetRequiredService<EngineContext>()
            .Db.HeavyTasks.AsNoTracking()
            .SingleAsync(t => t.Id == taskId);
    }

    /// <summary>Stops the worker as SIGTERM does: drains first.</summary>
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

/// <summary>Registration of the worker for tests.</summary>
public static class HeavyTaskTestHarnessExtensions
{
    /// <summary>A worker on MassTransit's in-memory test harness: bus, database, outbox and the handlers given.</summary>
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

            // Listeners, so that the harness sees the events that end a task arrive and not only leave.
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
        return services;
    }

    /// <summary>The same with one handler.</summary>
    public static IServiceCollection AddHeavyTaskTestHarness<TDbContext, THandler>(this IServiceCollection services)
        where TDbContext : DbContext => services.AddHeavyTaskTestHarness<TDbContext>([typeof(THandler)]);
}

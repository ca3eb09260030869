using System.Text.Json;
using MassTransit;
using MassTransit.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.Contracts;
using Platform.Outbox;
using Platform.Persistence;
using Platform.ServiceDefaults;

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
    /// <param name="settings">Settings such as <c>("HeavyTasks:MaxCrashes", "1")</c>; the last of a key wins.</param>
    public static Task<HeavyTaskTestHarness> StartAsync<THandler>(
        string connectionString,
        Action<IServiceCollection>? configure = null,
        params IEnumerable<(string Key, string Value)> settings
    ) => StartAsync([typeof(THandler)], connectionString, configure, settings);

    /// <summary>Starts a worker with several handlers.</summary>
    public static async Task<HeavyTaskTestHarness> StartAsync(
        IEnumerable<Type> handlers,
        string connectionString,
        Action<IServiceCollection>? configure = null,
        params IEnumerable<(string Key, string Value)> settings
    )
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration["ConnectionStrings:Platform"] = connectionString;
        foreach (var (key, value) in settings)
        {
            builder.Configuration[key] = value;
        }

        builder.Services.AddHeavyTaskTestHarness(handlers);
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
        var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
        var kind = typeof(TParameters)
            .GetCustomAttributes(typeof(HeavyTaskKindAttribute), inherit: false)
            .Cast<HeavyTaskKindAttribute>()
            .Single()
            .Name;
        var now = scope.ServiceProvider.GetRequiredService<TimeProvider>().GetUtcNow().UtcDateTime;
        var task = HeavyTask.Submit(kind, JsonSerializer.Serialize(parameters, HeavyTaskJson.Options), maxAttempts, now);
        await scope.ServiceProvider.GetRequiredService<TaskLifecycle>().SubmitAsync(task, CancellationToken.None);
        await db.SaveChangesAsync();
        return task.Id;
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
            .ServiceProvider.GetRequiredService<PlatformDbContext>()
            .HeavyTasks.AsNoTracking()
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
    public static IServiceCollection AddHeavyTaskTestHarness(this IServiceCollection services, IEnumerable<Type> handlers)
    {
        services.AddLogging();
        services.AddMassTransitTestHarness(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.SetTestTimeouts(testTimeout: TimeSpan.FromMinutes(1), testInactivityTimeout: TimeSpan.FromSeconds(20));
            bus.AddOutbox<PlatformDbContext>();
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
        services.AddPlatformDatabase("platform-tests");
        services.AddHeavyTasks(handlers);
        return services;
    }

    /// <inheritdoc cref="AddHeavyTaskTestHarness(IServiceCollection, IEnumerable{Type})"/>
    public static IServiceCollection AddHeavyTaskTestHarness<THandler>(this IServiceCollection services) =>
        services.AddHeavyTaskTestHarness([typeof(THandler)]);
}

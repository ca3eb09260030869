using System.Text.Json;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>A database and a virtual host for one test, a client that submits as the API does, and real worker processes.</summary>
public sealed class TestSystem : IAsyncDisposable
{
    private readonly TestDatabase database;
    private readonly TestBroker? broker;
    private readonly IHost client;
    private readonly Uri brokerUri;
    private readonly List<ServiceProcess> processes = [];
    private readonly Dictionary<string, ServiceProcess> latest = [];

    private TestSystem(TestDatabase database, TestBroker? broker, Uri brokerUri, IHost client)
    {
        this.database = database;
        this.broker = broker;
        this.brokerUri = brokerUri;
        this.client = client;
    }

    public TestDatabase Database => database;

    public TestBroker Broker => broker ?? throw new InvalidOperationException("This system uses a private broker.");

    public static async Task<TestSystem> StartAsync(Uri? brokerUri = null)
    {
        var database = await TestDatabase.CreateAsync();
        var broker = brokerUri is null ? await TestBroker.CreateAsync() : null;
        var uri = brokerUri ?? broker!.Uri;
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration["ConnectionStrings:Platform"] = database.ConnectionString;
        builder.Configuration["RabbitMq:Uri"] = uri.ToString();
        builder.Services.AddLogging();
        builder.Services.AddPlatformBus("client");
        builder.Services.AddPlatformDatabase("platform-client");
        var client = builder.Build();
        await client.StartAsync();
        return new TestSystem(database, broker, uri, client);
    }

    /// <summary>Starts a worker process that runs <c>test.steps</c> and waits until it consumes.</summary>
    public async Task<ServiceProcess> StartWorkerAsync(params IEnumerable<(string Key, string Value)> settings)
    {
        var worker = StartProcess("tests/TestWorker", settings);
        await worker.WaitForOutputAsync("Application started", TimeSpan.FromSeconds(60));
        return worker;
    }

    public ServiceProcess StartProcess(string project, params IEnumerable<(string Key, string Value)> settings)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__Platform"] = database.ConnectionString,
            ["RabbitMq__Uri"] = brokerUri.ToString(),
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",

            // A failed test shows only the end of the log.
            ["Logging__LogLevel__Microsoft.EntityFrameworkCore"] = "Warning",
            ["Logging__LogLevel__MassTransit"] = "Debug",

            // A machine that runs all tests at once may need longer than a web service should wait.
            ["Database__AcquireTimeout"] = "00:00:30",
        };
        foreach (var (key, value) in settings)
        {
            environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        var process = ServiceProcess.Start(project, environment);
        processes.Add(process);
        latest[project] = process;
        return process;
    }

    /// <summary>The process that was last started from this project.</summary>
    public ServiceProcess Process(string project) => latest[project];

    public Task<Guid> SubmitStepsAsync(string name, int steps, int pauseMilliseconds, int maxFailures = 1) =>
        SubmitAsync(
            "test.steps",
            new
            {
                name,
                steps,
                pauseMilliseconds,
            },
            maxFailures
        );

    /// <summary>Submits as the API does: row and message in one SaveChanges.</summary>
    public async Task<Guid> SubmitAsync<TParameters>(string kind, TParameters parameters, int maxFailures = 1)
    {
        await using var scope = client.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
        var task = HeavyTask.Submit(
            kind,
            JsonSerializer.Serialize(parameters, HeavyTaskJson.Options),
            maxFailures,
            TimeProvider.System.GetUtcNow().UtcDateTime
        );
        db.Add(task);
        await scope.ServiceProvider.GetRequiredService<IPublishEndpoint>().Publish(new HeavyTaskRequested(task.Id, task.Kind));
        await db.SaveChangesAsync();
        return task.Id;
    }

    public async Task<Guid> UploadAsync(string name, byte[] content)
    {
        using var stream = new MemoryStream(content);
        var file = await client
            .Services.GetRequiredService<IFileStore>()
            .UploadAsync(name, "text/csv", "", stream, content.Length, CancellationToken.None);
        return file.Id;
    }

    public async Task<HeavyTask> ReadAsync(Guid id)
    {
        await using var db = database.CreateContext();
        return await db.HeavyTasks.AsNoTracking().SingleAsync(t => t.Id == id);
    }

    public async Task<List<HeavyTaskAttempt>> AttemptsAsync(Guid id)
    {
        await using var db = database.CreateContext();
        return await db.HeavyTaskAttempts.AsNoTracking().Where(a => a.TaskId == id).OrderBy(a => a.Attempt).ToListAsync();
    }

    /// <summary>How often each step of a task was written.</summary>
    public async Task<List<int>> StepsWrittenAsync(string name)
    {
        await using var db = database.CreateContext();
        var names = await db.Users.Where(u => u.Name.StartsWith(name + "-")).Select(u => u.Name).ToListAsync();
        return [.. names.Select(n => int.Parse(n[(name.Length + 1)..])).Order()];
    }

    public Task WaitForStatusAsync(Guid id, HeavyTaskStatus status, TimeSpan? timeout = null) =>
        WaitAsync(async () => (await ReadAsync(id)).Status == status, timeout ?? TimeSpan.FromSeconds(60), $"task {id} is {status}");

    public Task WaitForStepAsync(string name, int step) =>
        WaitAsync(async () => (await StepsWrittenAsync(name)).Contains(step), TimeSpan.FromSeconds(60), $"step {step} of {name} is done");

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
        {
            await process.DisposeAsync();
        }

        if (TestContext.Current.TestState?.Result == TestResult.Failed)
        {
            TestContext.Current.SendDiagnosticMessage("{0}", Describe());
        }

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await client.StopAsync(limit.Token);
        }
        catch (OperationCanceledException) { }

        client.Dispose();
        if (broker is not null)
        {
            await broker.DisposeAsync();
        }

        await database.DisposeAsync();
    }

    private async Task WaitAsync(Func<Task<bool>> condition, TimeSpan timeout, string description)
    {
        try
        {
            await Eventually.Async(condition, timeout, description);
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"{exception.Message}\n{Describe()}", exception);
        }
    }

    private string Describe() => string.Join('\n', processes.Select((p, i) => $"--- process {i}\n{Tail(p.Output)}"));

    private static string Tail(string text) => text.Length > 20_000 ? text[^20_000..] : text;
}

using Platform.Support;

namespace Platform.ThroughputRunner;

/// <summary>Database, virtual host and the processes on them. All are this run's own and go with it.</summary>
internal sealed class Installation : IAsyncDisposable
{
    /// <summary>Kind of the tasks: one without parameters that the real API knows; its handler is the row worker's.</summary>
    public const string Kind = "users.statistics";

    /// <summary>Kind, and so routing key, of the messages that the bare consumer gets.</summary>
    public const string BareKind = "bare";

    /// <summary>The same for the bare consumer that prepares its statements.</summary>
    public const string PreparedKind = "bare-prepared";

    // What DatabaseOptions.MaxPreparedStatements is by default.
    private const string PreparedStatements = "50";

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(1);

    private readonly List<ServiceProcess> processes = [];
    private int? postgres;
    private int? rabbitMq;

    private Installation(Database database, Broker broker, RunOptions options)
    {
        Database = database;
        Broker = broker;
        Options = options;
    }

    public Database Database { get; }

    public Broker Broker { get; }

    public RunOptions Options { get; }

    public static async Task<Installation> CreateAsync(RunOptions options)
    {
        var installation = new Installation(await Database.CreateAsync(), await Broker.CreateAsync(), options);

        // They declare the queues. Without one, the broker would drop what is published, which costs it nothing.
        await using (await installation.StartWorkerAsync())
        await using (await installation.StartBareConsumerAsync())
        {
            return installation;
        }
    }

    public Task<Service> StartApiAsync() => StartAsync("services/Api");

    public static string Queue(string kind) => $"heavy-task.{kind}";

    public static string Json(string kind) => $$$"""{"kind":"{{{kind}}}","parameters":{}}""";

    public Task<Service> StartBareAsync() => StartAsync("bench/Throughput/BareService");

    public Task<Service> StartPreparedBareAsync() =>
        StartAsync("bench/Throughput/BareService", ("Database__MaxPreparedStatements", PreparedStatements));

    public Task<Service> StartOutboxAsync() => StartAsync(
        "bench/Throughput/OutboxService", ("Database__MaxPoolSize", $"{Options.Publishers + 8}"));

    public async Task<Service> StartWorkerAsync()
    {
        var service = await StartAsync(
            "bench/Throughput/RowWorker",
            ($"HeavyTasks__Kinds__{Kind}__Concurrency", $"{Options.Concurrency}"),
            ("Database__MaxPoolSize", $"{Options.Concurrency + 8}"));
        await service.WaitForConsumerAsync(Broker, Queue(Kind));
        return service;
    }

    public Task<Service> StartBareConsumerAsync() => StartBareConsumerAsync(BareKind, "0");

    public Task<Service> StartPreparedBareConsumerAsync() => StartBareConsumerAsync(PreparedKind, PreparedStatements);

    /// <summary>Who uses processor time: the servers, this process, and the services named.</summary>
    public async Task<CpuUse> CpuAsync(params IEnumerable<(string Role, Service Service)> services)
    {
        postgres ??= await Database.ProcessIdAsync();
        rabbitMq ??= await Broker.ProcessIdAsync();
        var roles = new Dictionary<string, Func<IEnumerable<int>>>
        {
            ["postgres"] = () => CpuUse.Family(postgres),
            ["rabbitmq"] = () => CpuUse.Family(rabbitMq),
            ["runner"] = () => [Environment.ProcessId],
        };
        foreach (var (role, service) in services)
        {
            roles[role] = () => [service.ProcessId];
        }

        return new CpuUse(roles);
    }

    /// <summary>Every task succeeded, at its first attempt, with its row.</summary>
    public async Task CheckTasksAsync(int count)
    {
        var succeeded = await Database.ScalarAsync<long>("SELECT count(*) FROM heavy_tasks WHERE status = 'Succeeded' AND attempt = 1");
        var rows = await Database.UsersAsync();
        if (succeeded != count || rows != count)
        {
            throw new InvalidOperationException($"Of {count} tasks {succeeded} succeeded at their first attempt, with {rows} rows.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in processes)
        {
            await process.DisposeAsync();
        }

        await Broker.DisposeAsync();
        await Database.DisposeAsync();
    }

    private async Task<Service> StartBareConsumerAsync(string kind, string preparedStatements)
    {
        var service = await StartAsync(
            "bench/Throughput/BareService",
            ("Bare__Prefetch", $"{Options.Concurrency}"),
            ("Bare__Kind", kind),
            ("Database__MaxPreparedStatements", preparedStatements),
            ("Database__MaxPoolSize", $"{Options.Concurrency + 8}"));
        await service.WaitForConsumerAsync(Broker, Queue(kind));
        return service;
    }

    private async Task<Service> StartAsync(string project, params IEnumerable<(string Name, string Value)> settings)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__Platform"] = Database.ConnectionString,
            ["RabbitMq__Uri"] = Broker.Uri.ToString(),
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",

            // A process that is paused while a backlog is prepared must keep its connection.
            ["RabbitMq__Heartbeat"] = "00:02:00",
            ["Logging__LogLevel__Default"] = "Warning",
            ["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information",
        };
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        var process = ServiceProcess.Start(project, environment);
        processes.Add(process);
        return new Service(project, process, await process.WaitForAddressAsync(StartLimit));
    }
}

using Platform.Support;

namespace Platform.ThroughputRunner;

/// <summary>Database, virtual host and the processes on them. All are this run's own and go with it.</summary>
internal sealed class Installation : IAsyncDisposable
{
    /// <summary>Kind of the tasks: one without parameters that the real API knows; its handler is the row worker's.</summary>
    public const string Kind = "users.statistics";

    /// <summary>Kind, and so routing key, of the messages that the bare consumer gets.</summary>
    public const string BareKind = "bare";

    /// <summary>The same for the bare consumer whose driver is set as the platform sets it.</summary>
    public const string TunedKind = "bare-tuned";

    private const string BareService = "bench/Throughput/BareService";
    private const string RowWorker = "bench/Throughput/RowWorker";

    private int? databaseServer;
    private int? rabbitMq;

    private Installation(Database database, Broker broker, RunOptions options)
    {
        Platform = new Variant("", database, "services/Api", "bench/Throughput/OutboxService");
        Broker = broker;
        Options = options;
    }

    /// <summary>This build.</summary>
    public Variant Platform { get; }

    /// <summary>The build with MassTransit's own outbox; null when none was named.</summary>
    public Variant? MassTransit { get; private set; }

    public Broker Broker { get; }

    public RunOptions Options { get; }

    private IEnumerable<Variant> Variants => MassTransit is null ? [Platform] : [Platform, MassTransit];

    public static async Task<Installation> CreateAsync(RunOptions options)
    {
        var installation = new Installation(await Database.CreateAsync(), await Broker.CreateAsync(), options);
        if (options.MassTransitOutbox is { } folder)
        {
            var api = Path.Combine(folder, "Api");
            var database = await Database.CreateAsync(connectionString => installation.RunAsync(api, connectionString, "migrate"));
            installation.MassTransit = new Variant(", MassTransit's outbox", database, api, Path.Combine(folder, "OutboxService"));
        }

        // They declare the queues. Without one, the broker would drop what is published, which costs it nothing.
        await using (await installation.StartWorkerAsync())
        await using (await installation.StartBareConsumerAsync())
        await using (await installation.StartTunedBareConsumerAsync())
        {
            return installation;
        }
    }

    /// <summary>Removes what a section that failed may have left.</summary>
    public async Task CleanAsync()
    {
        foreach (var kind in new[] { Kind, BareKind, TunedKind })
        {
            await Broker.PurgeAsync(Queue(kind));
        }

        foreach (var variant in Variants)
        {
            await variant.Database.ResetAsync();
        }
    }

    public static string Queue(string kind) => $"heavy-task.{kind}";

    public static string Json(string kind) => $$$"""{"kind":"{{{kind}}}","parameters":{}}""";

    public Task<Service> StartApiAsync(Variant variant) => StartAsync(variant.Api, variant);

    public Task<Service> StartBareAsync() => StartAsync(BareService, Platform);

    public Task<Service> StartTunedBareAsync() => StartAsync(BareService, Platform, (DatabaseKind.TuningName, DatabaseKind.TuningValue));

    public Task<Service> StartOutboxAsync(Variant variant) =>
        StartAsync(variant.OutboxService, variant, ("Database__MaxPoolSize", $"{Options.Publishers + 8}"));

    /// <summary>Saves messages that belong to no running process.</summary>
    public Task SaveBacklogAsync(Variant variant, int count) =>
        RunAsync(variant.OutboxService, variant.Database.ConnectionString, "backlog", Kind, $"{count}");

    public async Task<Service> StartWorkerAsync()
    {
        var service = await StartAsync(
            RowWorker,
            Platform,
            ($"HeavyTasks__Kinds__{Kind}__Concurrency", $"{Options.Concurrency}"),
            ("Database__MaxPoolSize", $"{Options.Concurrency + 8}")
        );
        await service.WaitForConsumerAsync(Broker, Queue(Kind));
        return service;
    }

    public Task<Service> StartBareConsumerAsync() => StartBareConsumerAsync(BareKind);

    public Task<Service> StartTunedBareConsumerAsync() =>
        StartBareConsumerAsync(TunedKind, (DatabaseKind.TuningName, DatabaseKind.TuningValue));

    /// <summary>Who uses processor time from now on: the servers, this process, and the services named.</summary>
    public async Task<CpuUse> StartCpuAsync(params IEnumerable<(string Role, Service Service)> services)
    {
        databaseServer ??= await Platform.Database.ProcessIdAsync();
        rabbitMq ??= await Broker.ProcessIdAsync();
        var roles = new Dictionary<string, Func<IEnumerable<int>>>
        {
            ["database"] = () => CpuUse.Family(databaseServer),
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
        var succeeded = await Platform.Database.ScalarAsync<long>(
            "SELECT count(*) FROM heavy_tasks WHERE status = 'Succeeded' AND attempt = 1"
        );
        var rows = await Platform.Database.UsersAsync();
        if (succeeded != count || rows != count)
        {
            throw new InvalidOperationException($"Of {count} tasks {succeeded} succeeded at their first attempt, with {rows} rows.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        foreach (var variant in Variants)
        {
            await variant.Database.DisposeAsync();
        }
    }

    private async Task<Service> StartBareConsumerAsync(string kind, params IEnumerable<(string Name, string Value)> settings)
    {
        var service = await StartAsync(
            BareService,
            Platform,
            [
                ("Bare__Prefetch", $"{Options.Concurrency}"),
                ("Bare__Kind", kind),
                ("Database__MaxPoolSize", $"{Options.Concurrency + 8}"),
                .. settings,
            ]
        );
        await service.WaitForConsumerAsync(Broker, Queue(kind));
        return service;
    }

    private async Task<Service> StartAsync(string project, Variant variant, params IEnumerable<(string Name, string Value)> settings)
    {
        var process = ServiceProcess.Start(project, Settings(variant.Database.ConnectionString, settings));
        try
        {
            return new Service(variant, process, await process.WaitForAddressAsync(Patience.ProcessLimit))
            {
                RunsTasks = project == RowWorker,
            };
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a command of a service to its end.</summary>
    private async Task RunAsync(string project, string connectionString, params string[] arguments)
    {
        await using var process = ServiceProcess.Start(project, Settings(connectionString), arguments);
        if (await process.WaitForExitAsync(Patience.Limit) is not 0 and var code)
        {
            throw new InvalidOperationException($"{project} {string.Join(' ', arguments)} ended with {code}. {process.Output}");
        }
    }

    private Dictionary<string, string?> Settings(string connectionString, params IEnumerable<(string Name, string Value)> settings)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__Platform"] = connectionString,
            ["RabbitMq__Uri"] = Broker.Uri.ToString(),
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",

            // All connections of a pool are opened at once, which on a busy machine takes longer than the 2 s that callers wait by default.
            ["Database__AcquireTimeout"] = "00:01:00",
            ["Database__CommandTimeout"] = "00:02:00",

            // The same for the broker's answers.
            ["RabbitMq__AnswerTimeout"] = "00:02:00",

            // A process that is paused while a backlog is prepared must keep its connection.
            ["RabbitMq__Heartbeat"] = "00:02:00",
            ["Logging__LogLevel__Default"] = "Warning",
            ["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information",
        };
        foreach (var (name, value) in settings)
        {
            environment[name] = value;
        }

        return environment;
    }
}

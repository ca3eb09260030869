namespace Platform.Runner.Throughput;

/// <summary>The processes that sections measure.</summary>
internal static class Subjects
{
    /// <summary>The kind, and hence the routing key, of the messages for the bare consumer.</summary>
    public const string BareKind = "bare";

    /// <summary>The same for the bare consumer whose driver has the platform's settings.</summary>
    public const string TunedKind = "bare-tuned";

    private static readonly (string Name, string Value) Tuning = (DatabaseKind.TuningName, DatabaseKind.TuningValue);

    public static async Task<Installation> CreateAsync(RunOptions options)
    {
        var installation = await Installation.CreateAsync(
            options,
            [
                // All connections of a pool are opened at once, which on a busy machine takes longer than the 2 s that callers wait by
                // default.
                ("Database__AcquireTimeout", "00:01:00"),
                ("Database__CommandTimeout", "00:02:00"),
                // For the same reason, the broker gets more time to answer.
                ("RabbitMq__AnswerTimeout", "00:02:00"),
                // A process that is paused while a backlog is prepared must keep its connection.
                ("RabbitMq__Heartbeat", "00:02:00"),
            ]
        );

        // The workers declare the queues. Without a queue, the broker would drop what is published, which costs it nothing.
        await using (await installation.StartWorkerAsync())
        await using (await installation.StartBareConsumerAsync())
        await using (await installation.StartTunedBareConsumerAsync())
        {
            return installation;
        }
    }

    public static string Queue(string kind) => $"heavy-task.{kind}";

    public static string Json(string kind) => $$$"""{"kind":"{{{kind}}}","parameters":{}}""";

    public static Task<Service> StartTunedBareAsync(this Installation installation) => installation.StartBareAsync(Tuning);

    public static Task<Service> StartOutboxAsync(this Installation installation, Variant variant) =>
        installation.StartAsync(variant, ["outbox"], ("Database__MaxPoolSize", $"{installation.Options.Publishers + 8}"));

    /// <summary>Saves messages that belong to no running process.</summary>
    public static Task SaveBacklogAsync(this Installation installation, Variant variant, int count) =>
        installation.RunAsync(variant.Services, variant.Database.ConnectionString, "outbox", "backlog", Installation.Kind, $"{count}");

    public static async Task<Service> StartWorkerAsync(this Installation installation)
    {
        var concurrency = installation.Options.Concurrency;
        var service = await installation.StartAsync(
            installation.Platform,
            ["row-worker"],
            ($"HeavyTasks__Kinds__{Installation.Kind}__Concurrency", $"{concurrency}"),
            ("Database__MaxPoolSize", $"{concurrency + 8}")
        );
        await service.WaitForConsumerAsync(installation.Broker, Queue(Installation.Kind));
        return service;
    }

    public static Task<Service> StartBareConsumerAsync(this Installation installation) => installation.StartBareConsumerAsync(BareKind);

    public static Task<Service> StartTunedBareConsumerAsync(this Installation installation) =>
        installation.StartBareConsumerAsync(TunedKind, Tuning);

    /// <summary>Removes what a failed section may have left.</summary>
    public static async Task CleanAsync(this Installation installation)
    {
        foreach (var kind in new[] { Installation.Kind, BareKind, TunedKind })
        {
            await installation.Broker.PurgeAsync(Queue(kind));
        }

        foreach (var variant in installation.Variants)
        {
            await variant.Database.ResetAsync();
        }
    }

    /// <summary>Checks that every task succeeded at its first attempt and wrote its row.</summary>
    public static async Task CheckTasksAsync(this Installation installation, int count)
    {
        var database = installation.Platform.Database;
        var succeeded = await database.ScalarAsync<long>("SELECT count(*) FROM heavy_tasks WHERE status = 'Succeeded' AND attempt = 1");
        var rows = await database.UsersAsync();
        if (succeeded != count || rows != count)
        {
            throw new InvalidOperationException($"Of {count} tasks {succeeded} succeeded at their first attempt, with {rows} rows.");
        }
    }

    /// <summary>Measures processor time from now on: of the servers, this process, and the services named.</summary>
    public static async Task<CpuUse> StartCpuAsync(
        this Installation installation,
        params IEnumerable<(string Role, Service Service)> services
    )
    {
        var database = await installation.Platform.Database.ProcessIdAsync();
        var rabbitMq = await installation.Broker.ProcessIdAsync();
        var roles = new Dictionary<string, Func<IEnumerable<int>>>
        {
            ["database"] = () => CpuUse.Family(database),
            ["rabbitmq"] = () => CpuUse.Family(rabbitMq),
            ["runner"] = () => [Environment.ProcessId],
        };
        foreach (var (role, service) in services)
        {
            roles[role] = () => [service.ProcessId];
        }

        return new CpuUse(roles);
    }

    private static async Task<Service> StartBareConsumerAsync(
        this Installation installation,
        string kind,
        params IEnumerable<(string Name, string Value)> settings
    )
    {
        var concurrency = installation.Options.Concurrency;
        var service = await installation.StartBareAsync([
            ("Bare__Prefetch", $"{concurrency}"),
            ("Bare__Kind", kind),
            ("Database__MaxPoolSize", $"{concurrency + 8}"),
            .. settings,
        ]);
        await service.WaitForConsumerAsync(installation.Broker, Queue(kind));
        return service;
    }
}

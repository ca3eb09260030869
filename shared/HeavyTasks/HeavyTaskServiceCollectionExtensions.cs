using System.Reflection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>Registers what an application needs to submit heavy tasks, and what a worker needs to run them.</summary>
public static class HeavyTaskServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="IHeavyTasks"/> on an application's context, so that tasks are submitted together with the application's own changes.
    /// The context's model needs <see cref="HeavyTasksModel.AddHeavyTasks"/> and <see cref="OutboxModel.AddOutbox"/>. The bus needs
    /// <c>AddOutbox</c> for the same context and <see cref="HeavyTaskTopology.UseHeavyTaskTopology"/>. If any of these is missing, the
    /// process does not start, and says so in one sentence.
    /// </summary>
    /// <typeparam name="TDbContext">
    /// The application's context, registered by <c>AddDbContext</c> or <see cref="AddHeavyTaskDatabase"/>.
    /// </typeparam>
    public static IServiceCollection AddHeavyTaskSubmission<TDbContext>(this IServiceCollection services)
        where TDbContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.FirstOrDefault(s => s.ServiceType == typeof(EngineContextType))?.ImplementationInstance is EngineContextType earlier)
        {
            return earlier.Type == typeof(TDbContext)
                ? services
                : throw new InvalidOperationException(
                    $"Heavy tasks live in one context: {earlier.Type.Name} was registered before {typeof(TDbContext).Name}."
                );
        }

        services.AddSingleton(new EngineContextType(typeof(TDbContext)));
        services.TryAddSingleton(TimeProvider.System);
        services.ConfigureDbContext<TDbContext>(
            (provider, db) => Dialect.Current.AddInterceptors(db.UseOutbox(provider)),
            ServiceLifetime.Singleton
        );
        services.AddScoped(provider => new EngineContext(provider.GetRequiredService<TDbContext>()));
        services.AddScoped(provider => new OutboxPublishEndpoint(() =>
            provider.GetRequiredService<OutboxBusContext<TDbContext>>().PublishEndpoint
        ));
        services.AddScoped<TaskLifecycle>();
        services.AddScoped<IHeavyTasks, ScopedHeavyTasks>();
        services.AddHostedService<HeavyTaskStartCheck<TDbContext>>();
        return services;
    }

    /// <summary>
    /// Adds a context on this service's own pool (section <c>Database</c>), and everything that the engine keeps for a database: files,
    /// this process's row in <c>instances</c>, the meters of the pool, and the watch over the connection budget. Call it after
    /// <c>AddMassTransit</c>, which adds the outbox (<see cref="OutboxRegistration.AddOutbox"/>).
    /// </summary>
    /// <typeparam name="TDbContext">The application's context. Set further options of it with <c>ConfigureDbContext</c>.</typeparam>
    /// <param name="services">The services of the process.</param>
    /// <param name="applicationName">The name that the server shows for this service's connections.</param>
    /// <param name="addEntityFrameworkServices">
    /// Adds the internal services of Entity Framework plug-ins that the context uses, such as <c>AddEntityFrameworkProxies</c>. Default:
    /// adds nothing.
    /// </param>
    public static IServiceCollection AddHeavyTaskDatabase<TDbContext>(
        this IServiceCollection services,
        string applicationName,
        Action<IServiceCollection>? addEntityFrameworkServices = null
    )
        where TDbContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.Any(s => s.ServiceType == typeof(DatabasePool)))
        {
            throw new InvalidOperationException("AddHeavyTaskDatabase was called before: a process has one pool.");
        }

        services.AddOptions<DatabaseOptions>().BindConfiguration("Database").ValidateDataAnnotations().ValidateOnStart();
        services.AddHeavyTaskSubmission<TDbContext>();
        services.AddMetrics();
        services.AddSingleton<DatabaseStart>();
        services.AddSingleton<DatabasePool>();
        services.AddSingleton<PoolMetrics>();
        services.AddConnectionHolders<TDbContext>();
        Dialect.Current.AddContext<TDbContext>(services, applicationName, addEntityFrameworkServices);
        services.AddFileStore();
        services.AddSingleton(new InstanceIdentity(applicationName));
        services.AddSingleton<InstanceKeeper>();
        services.AddHostedService(provider => provider.GetRequiredService<InstanceKeeper>());
        services.AddSingleton<PoolBudgetWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<PoolBudgetWatch>());
        services.AddHealthChecks().AddCheck<PoolBudgetWatch>("pool-budget");
        return services;
    }

    /// <summary>Adds the files, unless the application has added a store of its own.</summary>
    internal static IServiceCollection AddFileStore(this IServiceCollection services)
    {
        services.AddOptions<FileStoreOptions>().BindConfiguration("Files").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<FileConnections>();
        services.TryAddSingleton<IFileStore, DatabaseFileStore>();
        return services;
    }

    private static void AddConnectionHolders<TDbContext>(this IServiceCollection services)
        where TDbContext : DbContext
    {
        services.AddSingleton<ConnectionHolders>();
        services.AddSingleton<ServerSessions>();
        services.AddSingleton<IStartupFilter, RequestWorkFilter>();
        services.ConfigureDbContext<TDbContext>(
            (provider, db) =>
            {
                if (provider.GetRequiredService<IOptions<DatabaseOptions>>().Value.IdleConnectionLimit > TimeSpan.Zero)
                {
                    db.AddInterceptors(provider.GetRequiredService<ConnectionHolders>());
                }
            },
            ServiceLifetime.Singleton
        );
        services.AddSingleton<ConnectionHoldWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<ConnectionHoldWatch>());
    }

    /// <summary>
    /// Runs the heavy tasks of every <see cref="HeavyTaskHandler{TParameters}"/> in an assembly. Call it after the bus and
    /// <see cref="AddHeavyTaskDatabase"/>, so that it stops before them.
    /// </summary>
    public static IServiceCollection AddHeavyTasks<TDbContext>(this IServiceCollection services, Assembly handlers)
        where TDbContext : DbContext =>
        services.AddHeavyTasks<TDbContext>(handlers?.GetTypes() ?? throw new ArgumentNullException(nameof(handlers)));

    /// <summary>Runs the heavy tasks of the given handlers.</summary>
    public static IServiceCollection AddHeavyTasks<TDbContext>(this IServiceCollection services, params IEnumerable<Type> handlerTypes)
        where TDbContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(handlerTypes);
        foreach (var kind in handlerTypes.Select(HandledKind.Of).OfType<HandledKind>())
        {
            services.AddScoped(kind.HandlerType);
            services.AddSingleton(kind);
        }

        services.AddOptions<HeavyTaskOptions>().BindConfiguration("HeavyTasks").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<IPostConfigureOptions<HeavyTaskOptions>, DefaultConcurrency>();
        services.AddSingleton<IConfigureOptions<HostOptions>>(provider => new ConfigureOptions<HostOptions>(host =>
        {
            var options = provider.GetRequiredService<IOptions<HeavyTaskOptions>>().Value;
            host.ShutdownTimeout = options.DrainTimeout + (options.DrainGrace * 2) + TimeSpan.FromSeconds(15);
        }));
        services.AddHeavyTaskSubmission<TDbContext>();
        services.TryAddSingleton<InstanceIdentity>(_ => throw NoPool());
        services.TryAddSingleton<InstanceKeeper>(_ => throw NoPool());
        services.AddMetrics();
        services.ConfigureDbContext<TDbContext>(db => db.AddInterceptors(new CheckpointGate()), ServiceLifetime.Singleton);
        services.AddSingleton<HandledKinds>();
        services.AddSingleton<HeavyTaskSlots>();
        services.AddSingleton<HeavyTaskReceivers>();
        services.AddHealthChecks().AddCheck<StuckSlotsCheck>("slots", tags: ["live"]);
        services.AddSingleton<HeavyTaskClaims>();
        services.AddSingleton<RunningAttempts>();
        services.AddSingleton<ResultFiles>();
        services.AddSingleton<HeavyTaskMetrics>();
        services.AddSingleton<MinuteKeeper>();
        services.AddSingleton<HeavyTaskOutcomes>();
        services.AddSingleton<LivenessLock>();
        services.AddSingleton<IInstanceLoad, WorkerLoad>();
        services.AddSingleton<TakeOver>();
        services.TryAddSingleton<LivenessTimes>();
        services.AddSingleton<VanishedMessages>();
        services.AddScoped<HeavyTaskRunner>();
        services.AddHostedService<PoolCheck>();
        services.AddHostedService<KindAnnouncer>();
        services.AddHostedService<OperatorSettings>();
        services.AddHostedService(provider => provider.GetRequiredService<MinuteKeeper>());
        services.AddHostedService<LivenessKeeper>();
        services.AddHostedService<Keeper>();
        services.AddHostedService<OwnerWatch>();
        services.AddHostedService<HeavyTaskScheduler>();
        services.AddHostedService<ProgressReporter>();
        services.AddHostedService<LogWriter>();
        services.AddSingleton<FileDeletion>();
        services.AddHostedService<Retention>();
        services.AddHostedService<ExpiredFiles>();
        services.AddHostedService<Drain>();
        return services;

        // Placeholder for what AddHeavyTaskDatabase adds, whether it is called before or after this method.
        static InvalidOperationException NoPool() =>
            HeavyTaskStartCheck.Refuse(
                typeof(TDbContext),
                "a worker needs a pool of its own, which is checked against the tasks that run at once: register it with AddHeavyTaskDatabase"
            );
    }
}

using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>What makes an application submit heavy tasks, and what makes it a worker.</summary>
public static class HeavyTaskServiceCollectionExtensions
{
    /// <summary>
    /// Adds <see cref="IHeavyTasks"/> on an application's context, which submits tasks with the application's own changes. The context's model
    /// needs <see cref="HeavyTasksModel.AddHeavyTasks"/> and <see cref="OutboxModel.AddOutbox"/>, the bus <c>AddOutbox</c> of the same context and
    /// <see cref="HeavyTaskTopology.UseHeavyTaskTopology"/>; at its start the process says in one sentence what of it is missing.
    /// </summary>
    /// <typeparam name="TDbContext">The application's context, registered by <c>AddDbContext</c> or <see cref="AddHeavyTaskDatabase"/>.</typeparam>
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
            (provider, db) => DatabaseProvider.AddInterceptors(db.UseOutbox(provider)),
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
    /// Adds a context on a pool of this service's own (section <c>Database</c>), with all that the engine has on a database: files, this
    /// process's row in <c>instances</c>, the meters of the pool, and the watch over the budget of connections. Call it after
    /// <c>AddMassTransit</c>, which adds the outbox (<see cref="OutboxRegistration.AddOutbox"/>).
    /// </summary>
    /// <typeparam name="TDbContext">The application's context. Further options of it go to <c>ConfigureDbContext</c>.</typeparam>
    /// <param name="services">The services of the process.</param>
    /// <param name="applicationName">What the server shows for this service's connections.</param>
    /// <param name="addEntityFrameworkServices">
    /// What plug-ins of Entity Framework that the context uses add to its internal services, such as <c>AddEntityFrameworkProxies</c>. Default:
    /// nothing.
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
        services.AddSingleton<DatabasePool>();
        services.AddSingleton<PoolMetrics>();
        DatabaseProvider.AddContext<TDbContext>(services, applicationName, addEntityFrameworkServices);
        services.AddSingleton<IFileStore, DatabaseFileStore>();
        services.AddSingleton(new InstanceIdentity(applicationName));
        services.AddSingleton<InstanceKeeper>();
        services.AddHostedService(provider => provider.GetRequiredService<InstanceKeeper>());
        services.AddSingleton<PoolBudgetWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<PoolBudgetWatch>());
        services.AddHealthChecks().AddCheck<PoolBudgetWatch>("pool-budget");
        return services;
    }

    /// <summary>
    /// Runs the heavy tasks of every <see cref="HeavyTaskHandler{TParameters}"/> in an assembly. Call it after the bus and
    /// <see cref="AddHeavyTaskDatabase"/>, so that it stops before them.
    /// </summary>
    public static IServiceCollection AddHeavyTasks<TDbContext>(this IServiceCollection services, Assembly handlers)
        where TDbContext : DbContext =>
        services.AddHeavyTasks<TDbContext>(handlers?.GetTypes() ?? throw new ArgumentNullException(nameof(handlers)));

    /// <summary>Runs the heavy tasks of the handlers given.</summary>
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
        services.AddSingleton<HeavyTaskClaims>();
        services.AddSingleton<RunningAttempts>();
        services.AddSingleton<ResultFiles>();
        services.AddSingleton<HeavyTaskMetrics>();
        services.AddSingleton<HeavyTaskOutcomes>();
        services.AddSingleton<LivenessLock>();
        services.AddSingleton<IInstanceLoad, WorkerLoad>();
        services.AddSingleton<TakeOver>();
        services.AddSingleton<DeadOwners>();
        services.AddSingleton<VanishedMessages>();
        services.AddScoped<HeavyTaskRunner>();
        services.AddHostedService<PoolCheck>();
        services.AddHostedService<Keeper>();
        services.AddHostedService<HeavyTaskScheduler>();
        services.AddHostedService<ProgressReporter>();
        services.AddHostedService<Retention>();
        services.AddHostedService<Drain>();
        return services;

        // In the place of what AddHeavyTaskDatabase adds, before or after this.
        static InvalidOperationException NoPool() =>
            HeavyTaskStartCheck.Refuse(
                typeof(TDbContext),
                "a worker has a pool of its own, whose size is compared with what runs at once: register it with AddHeavyTaskDatabase"
            );
    }
}

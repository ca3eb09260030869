using System.Reflection;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Platform.Persistence;

namespace Platform.HeavyTasks;

/// <summary>What makes a service a worker.</summary>
public static class HeavyTaskServiceCollectionExtensions
{
    /// <summary>
    /// Runs the heavy tasks of every <see cref="HeavyTaskHandler{TParameters}"/> in an assembly. Call it after <c>AddPlatformBus</c> and
    /// <c>AddPlatformDatabase</c>, so that it stops before them.
    /// </summary>
    public static IServiceCollection AddHeavyTasks(this IServiceCollection services, Assembly handlers) =>
        services.AddHeavyTasks(handlers?.GetTypes() ?? throw new ArgumentNullException(nameof(handlers)));

    /// <summary>Runs the heavy tasks of the handlers given.</summary>
    public static IServiceCollection AddHeavyTasks(this IServiceCollection services, params IEnumerable<Type> handlerTypes)
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
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.ConfigureDbContext<PlatformDbContext>(db => db.AddInterceptors(new CheckpointGate()), ServiceLifetime.Singleton);
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
    }
}

using MassTransit;
using MassTransit.DependencyInjection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.Outbox;

/// <summary>Registers the outbox.</summary>
public static class OutboxRegistration
{
    /// <summary>
    /// Makes <c>IPublishEndpoint</c> and <c>ISendEndpointProvider</c> of every scope write to the outbox of
    /// <typeparamref name="TDbContext"/>, and runs the relay, which stops before the bus. The relay sends with the buses
    /// <see cref="IPublishBus"/> and <see cref="IProbeBus"/> if they are registered, otherwise with the ordinary bus. The context's options
    /// need <see cref="UseOutbox"/>, and its model needs <see cref="OutboxModel.AddOutbox"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The method was called before: a scope has only one outbox.</exception>
    public static void AddOutbox<TDbContext>(this IBusRegistrationConfigurator bus)
        where TDbContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(bus);
        IServiceCollection services = bus;
        if (services.Any(s => s.ServiceType == typeof(OutboxRelay)))
        {
            throw new InvalidOperationException("AddOutbox was called before: IPublishEndpoint can write to one outbox only.");
        }

        services.AddOptions<OutboxOptions>().BindConfiguration("Outbox").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IOutboxStore, OutboxStore<TDbContext>>();
        services.TryAddSingleton(typeof(BusConnection<>));
        services.AddSingleton<OutboxBuses>();
        services.AddSingleton(provider => new PublishedTypes(provider.GetRequiredService<OutboxBuses>().Publish));
        services.AddSingleton(provider => new OutboxRelay(
            provider.GetRequiredService<OutboxBuses>(),
            provider.GetRequiredService<PublishedTypes>(),
            provider.GetRequiredService<IOutboxStore>(),
            provider.GetRequiredService<IOptions<OutboxOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<OutboxRelay>>()
        ));
        services.AddHostedService(provider => provider.GetRequiredService<OutboxRelay>());
        services.AddHealthChecks().AddCheck<OutboxHealthCheck>("outbox");
        services.AddSingleton<OutboxInterceptor>();
        services.AddScoped(provider => new OutboxBusContext<TDbContext>(
            provider.GetRequiredService<OutboxBuses>().Publish,
            provider.GetRequiredService<PublishedTypes>(),
            provider.GetRequiredService<TDbContext>(),
            provider.GetRequiredService<IOptions<OutboxOptions>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<Bind<IBus, IClientFactory>>().Value,
            provider
        ));
        services.Replace(ServiceDescriptor.Scoped<IScopedBusContextProvider<IBus>, OutboxBusContextProvider<TDbContext>>());
    }

    /// <summary>Lets the outbox observe the saves and commits of a context.</summary>
    public static DbContextOptionsBuilder UseOutbox(this DbContextOptionsBuilder builder, IServiceProvider provider)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddInterceptors(provider.GetRequiredService<OutboxInterceptor>());
    }
}

using MassTransit;
using MassTransit.DependencyInjection;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Platform.Outbox;

/// <summary>Registration of the outbox.</summary>
public static class OutboxServiceCollectionExtensions
{
    /// <summary>
    /// Makes <c>IPublishEndpoint</c> and <c>ISendEndpointProvider</c> of every scope write to the outbox of <typeparamref name="TDbContext"/>,
    /// and runs the relay. Call it after <c>AddMassTransit</c>; the context's options need <see cref="UseOutbox"/>, its model <see cref="OutboxModel.AddOutbox"/>.
    /// </summary>
    public static IServiceCollection AddOutbox<TDbContext>(this IServiceCollection services)
        where TDbContext : DbContext
    {
        services.AddOptions<OutboxOptions>().BindConfiguration("Outbox").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<IOutboxStore, OutboxStore<TDbContext>>();
        services.AddSingleton<OutboxRelay>();
        services.AddHostedService(provider => provider.GetRequiredService<OutboxRelay>());
        services.AddSingleton<OutboxInterceptor>();
        services.AddScoped(provider => new OutboxBusContext<TDbContext>(
            provider.GetRequiredService<IBus>(),
            provider.GetRequiredService<TDbContext>(),
            provider.GetRequiredService<OutboxRelay>(),
            provider.GetRequiredService<Microsoft.Extensions.Options.IOptions<OutboxOptions>>(),
            provider.GetRequiredService<Bind<IBus, IClientFactory>>().Value,
            provider));
        services.Replace(ServiceDescriptor.Scoped<IScopedBusContextProvider<IBus>, OutboxBusContextProvider<TDbContext>>());
        return services;
    }

    /// <summary>Lets the outbox learn of saves and commits of a context.</summary>
    public static DbContextOptionsBuilder UseOutbox(this DbContextOptionsBuilder builder, IServiceProvider provider)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddInterceptors(provider.GetRequiredService<OutboxInterceptor>());
    }
}

using Microsoft.Extensions.DependencyInjection;

namespace Platform.Persistence;

/// <summary>What every service has on its database, whichever that is.</summary>
internal static class PlatformStores
{
    /// <summary>Adds the file store, this process's row in <c>instances</c>, and the watch over the budget of connections.</summary>
    public static void AddPlatformStores(this IServiceCollection services, string applicationName)
    {
        services.AddSingleton<IFileStore, DatabaseFileStore>();
        services.AddSingleton(new InstanceIdentity(applicationName));
        services.AddSingleton<InstanceKeeper>();
        services.AddHostedService(provider => provider.GetRequiredService<InstanceKeeper>());
        services.AddSingleton<PoolBudgetWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<PoolBudgetWatch>());
        services.AddHealthChecks().AddCheck<PoolBudgetWatch>("pool-budget");
    }
}

using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>The platform's database, of the provider that this build is for.</summary>
public static class PlatformDatabase
{
    /// <summary>Adds <see cref="PlatformDbContext"/> on a pool of this service's own. Call it after <c>AddPlatformBus</c>.</summary>
    /// <param name="services">The services of the process.</param>
    /// <param name="applicationName">What the server shows for this service's connections.</param>
    public static IServiceCollection AddPlatformDatabase(this IServiceCollection services, string applicationName) =>
        services.AddHeavyTaskDatabase<PlatformDbContext>(applicationName);

    /// <summary>Only the context, without bus, outbox delivery or pool settings: for tools such as <c>migrate</c>.</summary>
    public static PlatformDbContext CreateContext(string connectionString)
    {
        var options = new DbContextOptionsBuilder<PlatformDbContext>();
        DatabaseProvider.Configure(options, connectionString);
        return new PlatformDbContext(options.Options);
    }
}

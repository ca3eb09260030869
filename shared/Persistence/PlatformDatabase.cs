using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>Sets up the platform's database for the provider of this build.</summary>
public static class PlatformDatabase
{
    /// <summary>Adds <see cref="PlatformDbContext"/> on this service's own pool. Call it after <c>AddPlatformBus</c>.</summary>
    /// <param name="services">The services of the process.</param>
    /// <param name="applicationName">The name that the server shows for this service's connections.</param>
    public static IServiceCollection AddPlatformDatabase(this IServiceCollection services, string applicationName) =>
        services.AddHeavyTaskDatabase<PlatformDbContext>(applicationName);

    /// <summary>Creates a context without bus, outbox delivery or pool settings, for tools such as <c>migrate</c>.</summary>
    public static PlatformDbContext CreateContext(string connectionString)
    {
        var options = new DbContextOptionsBuilder<PlatformDbContext>();
        Dialect.Current.Configure(options, connectionString);
        return new PlatformDbContext(options.Options);
    }
}

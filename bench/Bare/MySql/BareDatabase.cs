using Microsoft.EntityFrameworkCore;
using MySqlConnector;

namespace Platform.Bare;

/// <summary>Entity Framework on MySQL and MariaDB.</summary>
internal static class BareDatabase
{
    public static void AddBareDatabase(this IServiceCollection services, IConfiguration configuration)
    {
        var connectionString = new MySqlConnectionStringBuilder(configuration.GetConnectionString("Platform")!)
        {
            ApplicationName = "bare",
            MaximumPoolSize = configuration.GetValue("Database:MaxPoolSize", 10u),
            ConnectionTimeout = (uint)configuration.GetValue("Database:AcquireTimeout", TimeSpan.FromSeconds(15)).TotalSeconds,
            GuidFormat = MySqlGuidFormat.Binary16,

            // By default the driver resets a session before its next use, which costs a round trip.
            ConnectionReset = configuration.GetValue("Database:ResetSessions", true),
        }.ConnectionString;

        // The server's version is read, so that Entity Framework uses everything that the server supports, such as MariaDB's INSERT ...
        // RETURNING.
        var version = ServerVersion.AutoDetect(connectionString);
        services.AddDbContext<BareDbContext>(
            db => db.UseMySql(connectionString, version),
            ServiceLifetime.Scoped,
            ServiceLifetime.Singleton
        );
    }
}

using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Platform.Bare;

/// <summary>Entity Framework on PostgreSQL.</summary>
internal static class BareDatabase
{
    public static void AddBareDatabase(this IServiceCollection services, IConfiguration configuration)
    {
        var connectionString = new NpgsqlConnectionStringBuilder(configuration.GetConnectionString("Platform"))
        {
            ApplicationName = "bare",
            MaxPoolSize = configuration.GetValue("Database:MaxPoolSize", 10),
            Timeout = (int)configuration.GetValue("Database:AcquireTimeout", TimeSpan.FromSeconds(15)).TotalSeconds,

            // By default the driver does not prepare statements.
            MaxAutoPrepare = configuration.GetValue("Database:MaxPreparedStatements", 0),
        };
        var dataSource = NpgsqlDataSource.Create(connectionString);
        services.AddDbContext<BareDbContext>(db => db.UseNpgsql(dataSource), ServiceLifetime.Scoped, ServiceLifetime.Singleton);
    }
}

using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Platform.Services;

internal static class Pools
{
    /// <summary>
    /// Adds a context on a pool of this name and size. Everything else, such as the 15 s wait for a connection, is the driver's default.
    /// </summary>
    public static void AddPool<TContext>(this IServiceCollection services, string connectionString, string name, int size)
        where TContext : DbContext
    {
        var pool = Create(connectionString, name, size);
        services.AddSingleton(pool);
        services.AddDbContext<TContext>(options => options.UseNpgsql(pool));
    }

    public static NpgsqlDataSource Create(string connectionString, string name, int size) =>
        NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { ApplicationName = name, MaxPoolSize = size });
}

using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Platform.Hosts;

internal static class Pools
{
    /// <summary>A context on a pool of this name and size; everything else, such as the 15 s wait for a connection, as the driver has it.</summary>
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

using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Npgsql;
using Platform.Outbox;

namespace Platform.Persistence;

/// <summary>Registration of the database, compiled for PostgreSQL.</summary>
public static class DatabaseProvider
{
    /// <summary>Name of the database that this build is for.</summary>
    public const string Name = "PostgreSql";

    /// <summary>The database's clock in SQL, UTC.</summary>
    internal const string Now = "statement_timestamp()";

    /// <summary>Name of the driver's traces and of its meter.</summary>
    public const string TelemetryName = "Npgsql";

    /// <summary>
    /// Adds <see cref="PlatformDbContext"/> on a pool of this service's own, the stores that use it, and this process's row in <c>instances</c>.
    /// Call it after <c>AddMassTransit</c>, which adds the outbox (<see cref="OutboxRegistration.AddOutbox"/>).
    /// </summary>
    /// <param name="services">The services of the process.</param>
    /// <param name="applicationName">What the server shows for this service's connections.</param>
    public static IServiceCollection AddPlatformDatabase(this IServiceCollection services, string applicationName)
    {
        services.AddOptions<DatabaseOptions>().BindConfiguration("Database").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => CreateDataSource(provider, applicationName));
        services.AddMetrics();
        services.AddSingleton<DatabasePool>();
        services.AddSingleton<PoolMetrics>();

        // Entity Framework's own services. Left to itself, it finds them by comparing all options, twice for each context.
        services.AddSingleton(_ => new ServiceCollection().AddEntityFrameworkNpgsql().BuildServiceProvider());
        services.AddDbContext<PlatformDbContext>(
            (provider, options) =>
                options
                    .UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>())
                    .UseInternalServiceProvider(provider.GetRequiredService<ServiceProvider>())
                    .UseOutbox(provider)
                    .AddInterceptors(provider.GetRequiredService<PoolMetrics>()),
            ServiceLifetime.Scoped,
            ServiceLifetime.Singleton
        );
        services.AddScoped<OutboxPublishEndpoint>();
        services.AddScoped<TaskLifecycle>();
        services.AddPlatformStores(applicationName);
        return services;
    }

    /// <summary>Only the context, without bus, outbox relay or pool settings: for tools such as <c>migrate</c>.</summary>
    public static PlatformDbContext CreateContext(string connectionString) =>
        new(new DbContextOptionsBuilder<PlatformDbContext>().UseNpgsql(connectionString).Options);

    /// <summary>The connection string of the platform's database.</summary>
    /// <exception cref="InvalidOperationException"><c>ConnectionStrings:Platform</c> is not set.</exception>
    public static string ConnectionString(IConfiguration configuration) =>
        configuration.GetConnectionString("Platform") is { Length: > 0 } connectionString
            ? connectionString
            : throw new InvalidOperationException(
                "ConnectionStrings:Platform is not set; set it (environment: ConnectionStrings__Platform) to the database's connection string."
            );

    /// <summary>
    /// How a SaveChanges that only inserts a few rows, with keys that are known before, writes all of them or none. Here without a
    /// transaction of the client's: the server makes one of all that comes before the end of a batch (PostgreSQL 15 documentation, 55.2.3),
    /// and the round trip of a commit is saved. Not for updates: one that finds no row must undo the others.
    /// </summary>
    public const AutoTransactionBehavior OneBatchOfInserts = AutoTransactionBehavior.Never;

    /// <summary>Whether an error means that a unique key exists already.</summary>
    public static bool IsDuplicateKey(DbUpdateException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation };
    }

    /// <summary>
    /// Whether an error means that no connection could be had in time (the pool is in use, or the server does not answer), or that the
    /// server ended a transaction in favour of another: what a client should simply try again.
    /// </summary>
    public static bool IsConnectionUnavailable(Exception exception)
    {
        for (var error = exception; error is not null; error = error.InnerException)
        {
            if (
                error
                is NpgsqlException { InnerException: TimeoutException or System.Net.Sockets.SocketException or IOException }
                    or PostgresException
                    {
                        SqlState: PostgresErrorCodes.TooManyConnections
                            or PostgresErrorCodes.CannotConnectNow
                            or PostgresErrorCodes.AdminShutdown
                    }
            )
            {
                return true;
            }
        }

        return IsDeadlock(exception);
    }

    /// <summary>
    /// Whether the server ended a transaction in favour of another: a deadlock, a serialization failure, or a wait for a lock that took
    /// longer than <c>lock_timeout</c>. The transaction must still be rolled back.
    /// </summary>
    public static bool IsDeadlock(Exception exception)
    {
        for (var error = exception; error is not null; error = error.InnerException)
        {
            if (
                error is PostgresException
                {
                    SqlState: PostgresErrorCodes.DeadlockDetected
                        or PostgresErrorCodes.SerializationFailure
                        or PostgresErrorCodes.LockNotAvailable
                }
            )
            {
                return true;
            }
        }

        return false;
    }

    private static NpgsqlDataSource CreateDataSource(IServiceProvider provider, string applicationName)
    {
        var options = provider.GetRequiredService<IOptions<DatabaseOptions>>().Value;
        var connectionString = new NpgsqlConnectionStringBuilder(ConnectionString(provider))
        {
            ApplicationName = applicationName,
            MaxPoolSize = options.MaxPoolSize,
            MinPoolSize = Math.Min(options.MinPoolSize, options.MaxPoolSize),
            Timeout = (int)options.AcquireTimeout.TotalSeconds,
            CommandTimeout = (int)options.CommandTimeout.TotalSeconds,
            MaxAutoPrepare = options.MaxPreparedStatements,
            NoResetOnClose = !options.ResetSessions,
            Options = $"-c idle_in_transaction_session_timeout={(int)options.IdleInTransactionTimeout.TotalMilliseconds}",
        };
        var builder = new NpgsqlDataSourceBuilder(connectionString.ConnectionString) { Name = applicationName };
        return builder.Build();
    }

    internal static string ConnectionString(IServiceProvider provider) => ConnectionString(provider.GetRequiredService<IConfiguration>());
}

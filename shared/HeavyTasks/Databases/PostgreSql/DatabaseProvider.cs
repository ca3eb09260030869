using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>The database that this build is for: PostgreSQL.</summary>
internal static class DatabaseProvider
{
    /// <summary>Name of the database that this build is for.</summary>
    public const string Name = "PostgreSql";

    /// <summary>The database's clock in SQL, UTC.</summary>
    internal const string Now = "statement_timestamp()";

    /// <summary>Name of the driver's traces and of its meter.</summary>
    public const string TelemetryName = "Npgsql";

    /// <summary>What a context of the platform is set to, on a connection string of its own: for tools such as <c>migrate</c>.</summary>
    public static DbContextOptionsBuilder Configure(DbContextOptionsBuilder options, string connectionString)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.UseNpgsql(connectionString);
    }

    /// <summary>The pool, under this name at the server, and the context on it.</summary>
    internal static void AddContext<TDbContext>(
        IServiceCollection services,
        string applicationName,
        Action<IServiceCollection>? addEntityFrameworkServices
    )
        where TDbContext : DbContext
    {
        // Left to itself, Entity Framework finds its own services by comparing all options, twice for each context.
        var entityFramework = new ServiceCollection().AddEntityFrameworkNpgsql();
        addEntityFrameworkServices?.Invoke(entityFramework);
        var own = entityFramework.BuildServiceProvider();
        services.AddSingleton(provider => CreateDataSource(provider, applicationName));
        services.AddDbContext<TDbContext>(
            (provider, options) =>
                options
                    .UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>())
                    .UseInternalServiceProvider(own)
                    .AddInterceptors(provider.GetRequiredService<PoolMetrics>()),
            ServiceLifetime.Scoped,
            ServiceLifetime.Singleton
        );
    }

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

    /// <summary>What the engine's statements need of any context: nothing here.</summary>
    internal static DbContextOptionsBuilder AddInterceptors(DbContextOptionsBuilder options) => options;

    /// <summary>What the connection string of a context that the engine did not register lacks: nothing here.</summary>
    internal static string? FindMissingSettings(DbContext db) => null;

    /// <summary>Whether a statement named a table or a column that is not there.</summary>
    internal static bool IsSchemaError(Exception exception) =>
        exception is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn };

    private static NpgsqlDataSource CreateDataSource(IServiceProvider provider, string applicationName)
    {
        var options = provider.GetRequiredService<IOptions<DatabaseOptions>>().Value;
        var connectionString = new NpgsqlConnectionStringBuilder(ConnectionStrings.Of(provider))
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
}

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MySqlConnector;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>The database that this build is for: MySQL and MariaDB.</summary>
internal static partial class DatabaseProvider
{
    /// <summary>Name of the database that this build is for.</summary>
    public const string Name = "MySql";

    /// <summary>The database's clock in SQL, UTC.</summary>
    internal const string Now = "UTC_TIMESTAMP(6)";

    /// <summary>Name of the driver's traces and of its meter.</summary>
    public const string TelemetryName = "MySqlConnector";

    /// <summary>
    /// How a SaveChanges that only inserts a few rows, with keys that are known before, writes all of them or none: here with a beginning and
    /// an end in the batch itself (<see cref="OneBatchExecutor"/>).
    /// </summary>
    public static AutoTransactionBehavior OneBatchOfInserts
    {
        get
        {
            var behavior = AutoTransactionBehavior.Never;
            ConfigureOneBatchOfInserts(ref behavior);
            return behavior;
        }
    }

    /// <summary>
    /// What SQL is generated for, on every server: the least that MySQL 8 and MariaDB 10.6 have in common, so that one build and one set of
    /// migrations suits both and nothing connects only to find out.
    /// </summary>
    internal static readonly ServerVersion CommonVersion = new MySqlServerVersion(new Version(8, 0, 0));

    private static readonly ServiceProvider EntityFrameworkServices = BuildEntityFrameworkServices(null);

    /// <summary>What a context of the platform is set to, on a connection string of its own: for tools such as <c>migrate</c>.</summary>
    public static DbContextOptionsBuilder Configure(DbContextOptionsBuilder options, string connectionString)
    {
        ArgumentNullException.ThrowIfNull(options);
        return AddInterceptors(Use(options, connectionString, EntityFrameworkServices));
    }

    /// <summary>The pool, under this name at the server (<c>performance_schema.session_connect_attrs</c>), and the context on it.</summary>
    internal static void AddContext<TDbContext>(
        IServiceCollection services,
        string applicationName,
        Action<IServiceCollection>? addEntityFrameworkServices
    )
        where TDbContext : DbContext
    {
        var own = addEntityFrameworkServices is null ? EntityFrameworkServices : BuildEntityFrameworkServices(addEntityFrameworkServices);
        services.AddSingleton(provider => CreateDataSource(provider, applicationName));
        services.AddDbContext<TDbContext>(
            (provider, options) =>
            {
                // Before the data source: it counts what the pool does from its first connection on.
                var metrics = provider.GetRequiredService<PoolMetrics>();

                // Pomelo finds the data source among the services, and reads the format of ids from this text alone: with the data source
                // given here, ids would be written into queries as text.
                Use(options, "", own).AddInterceptors(metrics);
            },
            ServiceLifetime.Scoped,
            ServiceLifetime.Singleton
        );
    }

    /// <summary>Whether an error means that a unique key exists already.</summary>
    public static bool IsDuplicateKey(DbUpdateException exception)
    {
        ArgumentNullException.ThrowIfNull(exception);
        return exception.InnerException is MySqlException { ErrorCode: MySqlErrorCode.DuplicateKeyEntry };
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
                is MySqlException { InnerException: TimeoutException or System.Net.Sockets.SocketException or IOException }
                    or MySqlException
                    {
                        ErrorCode: MySqlErrorCode.UnableToConnectToHost
                            or MySqlErrorCode.ConnectionCountError
                            or MySqlErrorCode.ServerShutdown
                            or MySqlErrorCode.CommandTimeoutExpired
                    }
                    // As the driver tells it where a transaction begins on a connection that the server has ended.
                    or System.Net.Sockets.SocketException
                    or MySqlEndOfStreamException
            )
            {
                return true;
            }
        }

        return IsDeadlock(exception);
    }

    /// <summary>
    /// Whether the server ended a transaction in favour of another: a deadlock, or a wait for a lock that took longer than
    /// <c>innodb_lock_wait_timeout</c>. The second undoes only the statement: the transaction must still be rolled back.
    /// </summary>
    public static bool IsDeadlock(Exception exception)
    {
        for (var error = exception; error is not null; error = error.InnerException)
        {
            if (error is MySqlException { ErrorCode: MySqlErrorCode.LockDeadlock or MySqlErrorCode.LockWaitTimeout })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// With what the platform relies on, whatever the setting says: ids as 16 bytes, times as UTC, and an update that changes nothing
    /// still counts the row that it found.
    /// </summary>
    internal static MySqlConnectionStringBuilder Complete(string connectionString) =>
        new(connectionString)
        {
            GuidFormat = MySqlGuidFormat.Binary16,
            DateTimeKind = MySqlDateTimeKind.Utc,
            UseAffectedRows = false,
            AllowUserVariables = true,
        };

    /// <summary>What the engine's statements need of any context.</summary>
    internal static DbContextOptionsBuilder AddInterceptors(DbContextOptionsBuilder options) =>
        options.AddInterceptors(ReadCommittedTransactions.Instance, OneBatchInterceptor.Instance, QueryAdapter.Instance);

    /// <summary>What the connection string of a context that the engine did not register lacks; null when nothing.</summary>
    internal static string? FindMissingSettings(DbContext db)
    {
        var given = new MySqlConnectionStringBuilder(db.Database.GetConnectionString() ?? "");
        var wanted = Complete(given.ConnectionString);
        string[] missing =
        [
            .. given.GuidFormat == wanted.GuidFormat ? Array.Empty<string>() : [$"GuidFormat={wanted.GuidFormat}"],
            .. given.DateTimeKind == wanted.DateTimeKind ? Array.Empty<string>() : [$"DateTimeKind={wanted.DateTimeKind}"],
            .. given.UseAffectedRows == wanted.UseAffectedRows ? Array.Empty<string>() : [$"UseAffectedRows={wanted.UseAffectedRows}"],
            .. given.AllowUserVariables == wanted.AllowUserVariables
                ? Array.Empty<string>()
                : [$"AllowUserVariables={wanted.AllowUserVariables}"],
        ];
        return missing.Length == 0 ? null : string.Join(';', missing);
    }

    private static DbContextOptionsBuilder Use(DbContextOptionsBuilder options, string connectionString, ServiceProvider own)
    {
        options.UseMySql(Complete(connectionString).ConnectionString, CommonVersion);
        ConfigureOutbox(options);
        return options.UseInternalServiceProvider(own);
    }

    // Left to itself, Entity Framework finds its own services by comparing all options, twice for each context.
    private static ServiceProvider BuildEntityFrameworkServices(Action<IServiceCollection>? add)
    {
        var services = new ServiceCollection().AddEntityFrameworkMySql();
        add?.Invoke(services);
        return services.AddLazyTranslation().AddOneBatches().BuildServiceProvider();
    }

    /// <summary>Only where MassTransit's outbox is used in place of ours.</summary>
    static partial void ConfigureOutbox(DbContextOptionsBuilder options);

    /// <summary>The same: its rows have keys that the database makes and that are read back.</summary>
    static partial void ConfigureOneBatchOfInserts(ref AutoTransactionBehavior behavior);

    /// <summary>Whether a statement named a table or a column that is not there.</summary>
    internal static bool IsSchemaError(Exception exception) =>
        exception is MySqlException { ErrorCode: MySqlErrorCode.NoSuchTable or MySqlErrorCode.BadFieldError };

    private static MySqlDataSource CreateDataSource(IServiceProvider provider, string applicationName)
    {
        var options = provider.GetRequiredService<IOptions<DatabaseOptions>>().Value;
        var connectionString = Complete(ConnectionStrings.Of(provider));
        connectionString.ApplicationName = applicationName;
        connectionString.MaximumPoolSize = (uint)options.MaxPoolSize;
        connectionString.MinimumPoolSize = (uint)Math.Min(options.MinPoolSize, options.MaxPoolSize);
        connectionString.ConnectionTimeout = (uint)options.AcquireTimeout.TotalSeconds;
        connectionString.DefaultCommandTimeout = (uint)options.CommandTimeout.TotalSeconds;
        connectionString.ConnectionReset = options.ResetSessions;
        var settings = new SessionSettings(options, provider.GetRequiredService<TimeProvider>());
        return new MySqlDataSourceBuilder(connectionString.ConnectionString)
            .UseName(applicationName)
            .UseConnectionOpenedCallback(settings.ApplyAsync)
            .Build();
    }
}

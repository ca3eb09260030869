using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using MySqlConnector;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>Gives the dialect of the database that this build is for.</summary>
internal static class Dialect
{
    public static IDialect Current { get; } = new MySqlDialect();
}

/// <summary>The dialect of MySQL and MariaDB.</summary>
internal sealed partial class MySqlDialect : IDialect
{
    public string Name => "MySql";

    public string TelemetryName => "MySqlConnector";

    public string Now => Clock.MySql;

    public bool HasSchemas => false;

    public PoolInstruments Pool { get; } =
        new("MySqlConnector", "db.client.connections.usage", ["db.client.connections.pending_requests"], "pool.name", "state");

    // The batch itself contains the beginning and the end of the transaction (OneBatchExecutor).
    public AutoTransactionBehavior OneBatchOfInserts
    {
        get
        {
            var behavior = AutoTransactionBehavior.Never;
            ConfigureOneBatchOfInserts(ref behavior);
            return behavior;
        }
    }

    // SQL is generated for this version on every server. It is the least that MySQL 8 and MariaDB 10.6 have in common, so that one build
    // and one set of migrations suit both, and no connection is needed just to find the version.
    private static readonly ServerVersion CommonVersion = new MySqlServerVersion(new Version(8, 0, 0));

    private static readonly ServiceProvider EntityFrameworkServices = BuildEntityFrameworkServices(null);

    public DbContextOptionsBuilder Configure(DbContextOptionsBuilder options, string connectionString) =>
        AddInterceptors(Use(options, connectionString, EntityFrameworkServices));

    // The server shows the name in performance_schema.session_connect_attrs.
    public void AddContext<TDbContext>(
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
                // Created before the data source, so that it counts the pool's connections from the first on.
                var metrics = provider.GetRequiredService<PoolMetrics>();

                // Pomelo finds the data source among the services, and reads only the format of ids from this text. If the data source were
                // given here, queries would contain ids as text.
                Use(options, "", own).AddInterceptors(metrics);
            },
            ServiceLifetime.Scoped,
            ServiceLifetime.Singleton
        );
    }

    /// <summary>
    /// Adds the settings that the platform relies on, whatever the connection string says: ids as 16 bytes, times as UTC, and an update
    /// that changes nothing still counts the row that it found.
    /// </summary>
    internal static MySqlConnectionStringBuilder Complete(string connectionString) =>
        new(connectionString)
        {
            GuidFormat = MySqlGuidFormat.Binary16,
            DateTimeKind = MySqlDateTimeKind.Utc,
            UseAffectedRows = false,
            AllowUserVariables = true,
        };

    public DbContextOptionsBuilder AddInterceptors(DbContextOptionsBuilder options) =>
        options.AddInterceptors(ReadCommittedTransactions.Instance, OneBatchInterceptor.Instance, QueryAdapter.Instance);

    public string? FindMissingSettings(DbContext db)
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

    // By default Entity Framework finds its internal services by comparing all options, twice for each context.
    private static ServiceProvider BuildEntityFrameworkServices(Action<IServiceCollection>? add)
    {
        var services = new ServiceCollection().AddEntityFrameworkMySql();
        add?.Invoke(services);
        return services.AddLazyTranslation().AddOneBatches().BuildServiceProvider();
    }

    /// <summary>Implemented only where MassTransit's outbox replaces ours.</summary>
    static partial void ConfigureOutbox(DbContextOptionsBuilder options);

    /// <summary>
    /// Implemented only where MassTransit's outbox replaces ours: the database creates the keys of its rows, and they are read back.
    /// </summary>
    static partial void ConfigureOneBatchOfInserts(ref AutoTransactionBehavior behavior);

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

    public string WriteChunk(EngineTables tables) => FileStatements.WriteChunkOnMySql(tables);

    public string AnnounceKind(EngineTables tables) => KindStatements.AnnounceOnMySql(tables);

    public async Task<DateTime> ReadClockAsync(DbContext db, CancellationToken cancellationToken) =>
        (await db.Database.SqlQuery<DateTime>($"SELECT UTC_TIMESTAMP(6) AS Value").ToListAsync(cancellationToken))[0];

    // Nothing is reserved here: the server accepts one administrator's connection on top of the limit.
    public async Task<ConnectionLimit> ReadConnectionLimitAsync(DbContext db, CancellationToken cancellationToken) =>
        (
            await db
                .Database.SqlQuery<ConnectionLimit>($"SELECT CAST(@@max_connections AS SIGNED) AS Max, CAST(0 AS SIGNED) AS Reserved")
                .ToListAsync(cancellationToken)
        )[0];
}

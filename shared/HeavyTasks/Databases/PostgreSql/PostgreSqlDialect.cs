using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>Gives the dialect of the database that this build is for.</summary>
internal static class Dialect
{
    public static IDialect Current { get; } = new PostgreSqlDialect();
}

/// <summary>The dialect of PostgreSQL.</summary>
internal sealed partial class PostgreSqlDialect : IDialect
{
    public string Name => "PostgreSql";

    public string TelemetryName => "Npgsql";

    public string Now => Clock.PostgreSql;

    public bool HasSchemas => true;

    public PoolInstruments Pool { get; } =
        new(
            "Npgsql",
            "db.client.connection.count",
            ["db.client.connection.npgsql.pending_requests", "db.client.connection.pending_requests"],
            "db.client.connection.pool.name",
            "db.client.connection.state"
        );

    public DbContextOptionsBuilder Configure(DbContextOptionsBuilder options, string connectionString) =>
        options.UseNpgsql(connectionString);

    public void AddContext<TDbContext>(
        IServiceCollection services,
        string applicationName,
        Action<IServiceCollection>? addEntityFrameworkServices
    )
        where TDbContext : DbContext
    {
        // By default Entity Framework finds its internal services by comparing all options, twice for each context.
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

    // The client begins no transaction: the server makes one of everything up to the end of a batch (PostgreSQL 15 documentation, 55.2.3),
    // which saves the round trip of a commit. This does not suit updates: an update that finds no row must undo the others.
    public AutoTransactionBehavior OneBatchOfInserts => AutoTransactionBehavior.Never;

    public DbContextOptionsBuilder AddInterceptors(DbContextOptionsBuilder options) => options;

    public string? FindMissingSettings(DbContext db) => null;

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
        // The driver wants to be told of the primary later where there are several servers.
        var severalServers = connectionString.Host?.Contains(',') == true;
        var target = TargetOf(connectionString);
        connectionString.TargetSessionAttributes = null;
        var builder = new NpgsqlDataSourceBuilder(connectionString.ConnectionString) { Name = applicationName };
        return severalServers ? builder.BuildMultiHost().WithTargetSession(target) : builder.Build();
    }

    /// <summary>Which of several servers is meant: the primary, unless the connection string says otherwise.</summary>
    private static TargetSessionAttributes TargetOf(NpgsqlConnectionStringBuilder connectionString) =>
        connectionString.TargetSessionAttributes is { } named
            ? Enum.Parse<TargetSessionAttributes>(named.Replace("-", "", StringComparison.Ordinal), ignoreCase: true)
            : TargetSessionAttributes.Primary;

    public string WriteChunk(EngineTables tables) => FileStatements.WriteChunkOnPostgreSql(tables);

    public string AnnounceKind(EngineTables tables) => KindStatements.AnnounceOnPostgreSql(tables);

    public async Task<DateTime> ReadClockAsync(DbContext db, CancellationToken cancellationToken) =>
        (await db.Database.SqlQuery<DateTime>($"SELECT clock_timestamp() AS \"Value\"").ToListAsync(cancellationToken))[0];

    public async Task<ConnectionLimit> ReadConnectionLimitAsync(DbContext db, CancellationToken cancellationToken) =>
        (
            await db
                .Database.SqlQuery<ConnectionLimit>(
                    $"""
                    SELECT current_setting('max_connections')::int AS "Max", current_setting('superuser_reserved_connections')::int AS "Reserved"
                    """
                )
                .ToListAsync(cancellationToken)
        )[0];
}

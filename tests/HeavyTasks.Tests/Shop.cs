using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.Extensions.DependencyInjection;
using Platform.Contracts;
using Platform.Outbox;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>An order of an application that knows nothing of the platform.</summary>
public class Order
{
    public int Id { get; set; }

    public int Tenant { get; set; }

    public string Status { get; set; } = "new";
}

/// <summary>The application's own context, with its own column names and a filter on its own entity.</summary>
public class ShopDbContext : DbContext
{
    public ShopDbContext(DbContextOptions<ShopDbContext> options)
        : base(options) { }

    protected ShopDbContext(DbContextOptions options)
        : base(options) { }

    public DbSet<Order> Orders => Set<Order>();

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        ArgumentNullException.ThrowIfNull(configurationBuilder);
        configurationBuilder.Conventions.Add(_ => new ShoutedColumns());
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        modelBuilder.AddHeavyTasks();
        modelBuilder.AddOutbox();
        modelBuilder.Entity<Order>().HasQueryFilter(o => o.Tenant == 1);
    }

    private sealed class ShoutedColumns : IModelFinalizingConvention
    {
        public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
        {
            foreach (var property in modelBuilder.Metadata.GetEntityTypes().SelectMany(e => e.GetDeclaredProperties()))
            {
                property.Builder.HasColumnName($"X_{property.Name.ToUpperInvariant()}");
            }
        }
    }
}

/// <summary>Another context of the same application on the same database.</summary>
public sealed class ReportDbContext(DbContextOptions<ReportDbContext> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        modelBuilder.Entity<Order>(order =>
        {
            order.ToTable("Orders");
            order.Property(o => o.Id).HasColumnName("X_ID");
            order.Property(o => o.Tenant).HasColumnName("X_TENANT");
            order.Property(o => o.Status).HasColumnName("X_STATUS");
        });
    }
}

[HeavyTaskKind("shop.ship")]
public sealed record ShipOrder(int OrderId);

/// <summary>Works with the application's own contexts.</summary>
public sealed class ShipOrderHandler(ShopDbContext db, ReportDbContext reports) : HeavyTaskHandler<ShipOrder>
{
    public override async Task RunAsync(HeavyTaskContext<ShipOrder> context)
    {
        var id = context.Parameters.OrderId;
        await context.CheckpointAsync(
            new State("packed"),
            (own, cancellationToken) =>
            {
                own.ShouldBeSameAs(db);
                return db
                    .Orders.Where(o => o.Id == id)
                    .ExecuteUpdateAsync(set => set.SetProperty(o => o.Status, "packed"), cancellationToken);
            }
        );
        (await reports.Orders.AsNoTracking().SingleAsync(o => o.Id == id, context.CancellationToken)).Status.ShouldBe("packed");
        var order = await db.Orders.SingleAsync(o => o.Id == id, context.CancellationToken);
        order.Status = "shipped";
    }

    private sealed record State(string Step);
}

/// <summary>A context that places the engine's tables where the application wants them.</summary>
public sealed class PlacedDbContext(DbContextOptions<PlacedDbContext> options) : DbContext(options)
{
    public static string? Schema => Dialect.Current.HasSchemas ? "jobs" : null;

    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.AddHeavyTasks(Schema, "placed_").AddOutbox(Schema, "placed_");
}

[HeavyTaskKind("report.write")]
public sealed record WriteReport;

/// <summary>Writes to every table that a handler can write to.</summary>
public sealed class WriteReportHandler : HeavyTaskHandler<WriteReport>
{
    public override async Task RunAsync(HeavyTaskContext<WriteReport> context)
    {
        var file = await context.OpenResultFileAsync("report.txt", "text/plain");
        await file.WriteAsync("report"u8.ToArray(), context.CancellationToken);
        await context.CheckpointAsync(new State("written"));
    }

    private sealed record State(string Step);
}

internal static class ShopDatabase
{
    /// <summary>Creates the tables of the application's model, and none of the platform's own.</summary>
    public static async Task CreateTablesAsync<TDbContext>(this TestDatabase database)
        where TDbContext : DbContext
    {
        await database.EmptyAsync();
        var options = new DbContextOptionsBuilder<TDbContext>();
        Dialect.Current.Configure(options, database.ConnectionString);
        await using var db = ActivatorUtilities.CreateInstance<TDbContext>(new ServiceCollection().BuildServiceProvider(), options.Options);
        await db.Database.EnsureCreatedAsync();
    }
}

using Microsoft.EntityFrameworkCore;

namespace Platform.Outbox.Tests;

/// <summary>A context that knows nothing of Platform except the outbox, which has its own schema if the database has schemas.</summary>
public sealed class ShopDbContext(DbContextOptions<ShopDbContext> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();

    public DbSet<OutboxMessage> Outbox => Set<OutboxMessage>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(ShopDatabase.Schema);
        modelBuilder.Entity<Order>(order =>
        {
            order.ToTable("orders");
            order.HasIndex(o => o.Number).IsUnique();
        });
        modelBuilder.AddOutbox().Entity<OutboxMessage>().ToTable(ShopDatabase.OutboxTable);
    }
}

public sealed class Order
{
    public Guid Id { get; init; } = Guid.CreateVersion7();

    public int Number { get; init; }
}

public interface IOrderEvent
{
    int Number { get; }
}

public sealed record OrderPlaced(int Number) : IOrderEvent;

/// <summary>A message that is published directly, not through the outbox. When it arrives, everything sent before it has arrived.</summary>
public sealed record Marker(Guid Id);

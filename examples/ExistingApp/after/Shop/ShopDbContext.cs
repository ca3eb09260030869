using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Outbox;

namespace Shop;

public sealed class ShopDbContext(DbContextOptions<ShopDbContext> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();

    public DbSet<Invoice> Invoices => Set<Invoice>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.AddHeavyTasks();
        modelBuilder.AddOutbox();
    }
}

public sealed class Order
{
    public int Id { get; set; }

    public decimal Amount { get; set; }
}

public sealed class Invoice
{
    public int Id { get; set; }

    public int OrderId { get; set; }

    public decimal Amount { get; set; }
}

using Microsoft.EntityFrameworkCore;

namespace Shop;

public sealed class ShopDbContext(DbContextOptions<ShopDbContext> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();

    public DbSet<Invoice> Invoices => Set<Invoice>();
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

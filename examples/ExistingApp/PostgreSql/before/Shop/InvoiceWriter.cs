using Microsoft.EntityFrameworkCore;

namespace Shop;

/// <summary>Writes the invoice of an order, which takes the database a while.</summary>
public static class InvoiceWriter
{
    public static async Task WriteAsync(ShopDbContext db, int orderId, CancellationToken cancellationToken)
    {
        var order = await db.Orders.SingleAsync(o => o.Id == orderId, cancellationToken);
        await db.Database.ExecuteSqlAsync($"SELECT pg_sleep(0.2)", cancellationToken);
        db.Invoices.Add(new Invoice { OrderId = order.Id, Amount = order.Amount });
    }
}

using Microsoft.EntityFrameworkCore;

namespace Shop;

public static class OrderEndpoints
{
    public static void MapOrders(this WebApplication app)
    {
        app.MapGet(
            "/orders/{id:int}",
            async (int id, ShopDbContext db) => await db.Orders.FindAsync(id) is { } order ? Results.Ok(order) : Results.NotFound()
        );

        app.MapPost(
            "/orders",
            async (Order order, ShopDbContext db) =>
            {
                db.Add(order);
                await db.SaveChangesAsync();
                return Results.Created($"/orders/{order.Id}", order);
            }
        );

        app.MapPost(
            "/orders/{id:int}/invoice",
            (int id, IServiceScopeFactory scopes) =>
            {
                // The request's own context is disposed with the request, so the work takes one that is not. Nobody disposes it.
                var db = scopes.CreateScope().ServiceProvider.GetRequiredService<ShopDbContext>();
                _ = Task.Run(async () =>
                {
                    await db.Database.OpenConnectionAsync();
                    await InvoiceWriter.WriteAsync(db, id, CancellationToken.None);
                    await db.SaveChangesAsync();
                });
                return Results.Accepted();
            }
        );
    }
}

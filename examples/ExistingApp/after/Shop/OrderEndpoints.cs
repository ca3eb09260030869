using Platform.HeavyTasks;

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
            async (int id, IHeavyTasks tasks, ShopDbContext db) =>
            {
                await tasks.SubmitAsync(new WriteInvoice(id));
                await db.SaveChangesAsync();
                return Results.Accepted();
            }
        );
    }
}

using HeavyTasksApp.Data;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks.Http;

namespace HeavyTasksApp.Api;

/// <summary>The light endpoints: they answer while heavy tasks run, because those run on another pool.</summary>
public static class OrderEndpoints
{
    public static void MapOrders(this IEndpointRouteBuilder app) =>
        app.MapGet(
                "/orders/summary",
                async (StarterDbContext db, CancellationToken cancellationToken) =>
                    new OrderSummary(
                        await db.Orders.LongCountAsync(cancellationToken),
                        await db.Orders.SumAsync(order => order.Amount, cancellationToken)
                    )
            )
            // Orders belong to no tenant.
            .RequireAuthorization(HeavyTaskPolicies.ReadSystem);
}

/// <summary>What <c>GET /orders/summary</c> answers; the amount in cents.</summary>
public sealed record OrderSummary(long Orders, long Amount);

using Platform.HeavyTasks.Analyzers.CodeFixes;

namespace Platform.HeavyTasks.Analyzers.Tests;

/// <summary>Tests what the fix makes where a scope can cure PLT001, and that no fix is offered where it cannot.</summary>
public sealed class OwnScopeTests
{
    [Fact]
    public Task Lambda_of_an_endpoint_gets_the_factory_in_place_of_the_context() =>
        VerifyAsync(
            """
            public static class Endpoints
            {
                public static void Map(WebApplication app)
                {
                    app.MapPost("/orders/{id}/ship", (int id, ShopDbContext db) =>
                    {
                        // Takes a while.
                        _ = Task.Run(async () =>
                        {
                            var order = await {|PLT001:db|}.Orders.SingleAsync(o => o.Id == id);
                            db.Remove(order);
                            await db.SaveChangesAsync();
                        });
                        return Results.Accepted();
                    });
                }
            }
            """,
            """
            public static class Endpoints
            {
                public static void Map(WebApplication app)
                {
                    app.MapPost("/orders/{id}/ship", (int id, IServiceScopeFactory scopes) =>
                    {
                        // Takes a while.
                        _ = Task.Run(async () =>
                        {
                            await using var scope = scopes.CreateAsyncScope();
                            var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
                            var order = await db.Orders.SingleAsync(o => o.Id == id);
                            db.Remove(order);
                            await db.SaveChangesAsync();
                        });
                        return Results.Accepted();
                    });
                }
            }
            """
        );

    [Fact]
    public Task Lambda_that_only_calls_becomes_asynchronous_and_both_services_come_from_one_scope() =>
        VerifyAsync(
            """
            public static class Endpoints
            {
                public static void Map(WebApplication app)
                {
                    app.MapPost("/orders/{id}/ship", (int id, ShopDbContext db, Orders orders) =>
                    {
                        _ = Task.Run(() => ShipAsync({|PLT001:db|}, {|PLT001:orders|}, id));
                        return Results.Accepted();
                    });
                }

                private static Task ShipAsync(ShopDbContext db, Orders orders, int id) => orders.ShipAsync(id);
            }
            """,
            """
            public static class Endpoints
            {
                public static void Map(WebApplication app)
                {
                    app.MapPost("/orders/{id}/ship", (int id, IServiceScopeFactory scopes) =>
                    {
                        _ = Task.Run(async () =>
                        {
                            await using var scope = scopes.CreateAsyncScope();
                            var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
                            var orders = scope.ServiceProvider.GetRequiredService<Orders>();
                            await ShipAsync(db, orders, id);
                        });
                        return Results.Accepted();
                    });
                }

                private static Task ShipAsync(ShopDbContext db, Orders orders, int id) => orders.ShipAsync(id);
            }
            """
        );

    [Fact]
    public Task Factory_that_the_class_has_is_used_for_a_primary_constructor_s_context() =>
        VerifyAsync(
            """
            public class Shipping(ShopDbContext db, IServiceScopeFactory scopes, IWorkQueue queue)
            {
                public void Ship(int id) => queue.Enqueue(async token => await {|PLT001:db|}.Orders.Where(o => o.Id == id).ExecuteDeleteAsync(token));

                public Task<int> CountAsync() => db.Orders.CountAsync();
            }
            """,
            """
            public class Shipping(ShopDbContext db, IServiceScopeFactory scopes, IWorkQueue queue)
            {
                public void Ship(int id) => queue.Enqueue(async token =>
                {
                    await using var scope = scopes.CreateAsyncScope();
                    var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
                    await db.Orders.Where(o => o.Id == id).ExecuteDeleteAsync(token);
                });

                public Task<int> CountAsync() => db.Orders.CountAsync();
            }
            """
        );

    [Fact]
    public Task Field_loses_its_mark_and_the_namespace_is_imported_where_it_is_not() =>
        VerifyAsync(
            """
            namespace Other
            {
                public class Shipping
                {
                    private readonly ShopDbContext _db;
                    private readonly IServiceScopeFactory _scopes;

                    public Shipping(ShopDbContext db, IServiceScopeFactory scopes)
                    {
                        _db = db;
                        _scopes = scopes;
                    }

                    public void Ship(int scope)
                    {
                        _ = Task.Run(() => {|PLT001:_db|}.Orders.Where(o => o.Id == scope).ExecuteDeleteAsync());
                        Console.WriteLine(this._scopes);
                    }
                }
            }
            """,
            """
            namespace Other
            {
                public class Shipping
                {
                    private readonly ShopDbContext _db;
                    private readonly IServiceScopeFactory _scopes;

                    public Shipping(ShopDbContext db, IServiceScopeFactory scopes)
                    {
                        _db = db;
                        _scopes = scopes;
                    }

                    public void Ship(int scope)
                    {
                        _ = Task.Run(async () =>
                        {
                            await using var scope2 = _scopes.CreateAsyncScope();
                            var db = scope2.ServiceProvider.GetRequiredService<ShopDbContext>();
                            return await db.Orders.Where(o => o.Id == scope).ExecuteDeleteAsync();
                        });
                        Console.WriteLine(this._scopes);
                    }
                }
            }
            """
        );

    [Fact]
    public Task Local_of_a_scope_that_nobody_disposes_moves_into_the_work() =>
        VerifyAsync(
            """
            public static class Endpoints
            {
                public static void Map(WebApplication app)
                {
                    app.MapPost("/orders/{id}/ship", (int id, IServiceScopeFactory scopes) =>
                    {
                        var db = scopes.CreateScope().ServiceProvider.GetRequiredService<ShopDbContext>();
                        _ = Task.Run(async () =>
                        {
                            await {|PLT001:db|}.Orders.Where(o => o.Id == id).ExecuteDeleteAsync();
                        });
                        return Results.Accepted();
                    });
                }
            }
            """,
            """
            public static class Endpoints
            {
                public static void Map(WebApplication app)
                {
                    app.MapPost("/orders/{id}/ship", (int id, IServiceScopeFactory scopes) =>
                    {
                        _ = Task.Run(async () =>
                        {
                            await using var scope = scopes.CreateAsyncScope();
                            var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
                            await db.Orders.Where(o => o.Id == id).ExecuteDeleteAsync();
                        });
                        return Results.Accepted();
                    });
                }
            }
            """
        );

    [Fact]
    public Task Work_that_catches_and_logs_gets_its_scope_around_that() =>
        VerifyAsync(
            """
            public static class Endpoints
            {
                public static void Map(WebApplication app)
                {
                    app.MapPost("/orders/{id}/ship", (int id, ShopDbContext db, Microsoft.Extensions.Logging.ILogger<ShopDbContext> log) =>
                    {
                        _ = Task.Run(async () =>
                        {
                            try
                            {
                                await ShipAsync({|PLT001:db|}, id);
                                await db.SaveChangesAsync();
                            }
                            catch (Exception)
                            {
                                log.GetHashCode();
                            }
                        });
                        return Results.Accepted();
                    });
                }

                private static Task ShipAsync(ShopDbContext db, int id) => Task.CompletedTask;
            }
            """,
            """
            public static class Endpoints
            {
                public static void Map(WebApplication app)
                {
                    app.MapPost("/orders/{id}/ship", (int id, IServiceScopeFactory scopes, Microsoft.Extensions.Logging.ILogger<ShopDbContext> log) =>
                    {
                        _ = Task.Run(async () =>
                        {
                            await using var scope = scopes.CreateAsyncScope();
                            var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
                            try
                            {
                                await ShipAsync(db, id);
                                await db.SaveChangesAsync();
                            }
                            catch (Exception)
                            {
                                log.GetHashCode();
                            }
                        });
                        return Results.Accepted();
                    });
                }

                private static Task ShipAsync(ShopDbContext db, int id) => Task.CompletedTask;
            }
            """
        );

    [Fact]
    public Task Service_of_an_action_is_hidden_by_the_work_s_own_which_has_its_name() =>
        VerifyAsync(
            """
            public class Shipping(IServiceScopeFactory scopes)
            {
                public void Ship([Microsoft.AspNetCore.Mvc.FromServices] ShopDbContext db, int id)
                {
                    _ = Task.Run(async () =>
                    {
                        await {|PLT001:db|}.Orders.Where(o => o.Id == id).ExecuteDeleteAsync();
                    });
                }
            }
            """,
            """
            public class Shipping(IServiceScopeFactory scopes)
            {
                public void Ship([Microsoft.AspNetCore.Mvc.FromServices] ShopDbContext db, int id)
                {
                    _ = Task.Run(async () =>
                    {
                        await using var scope = scopes.CreateAsyncScope();
                        var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
                        await db.Orders.Where(o => o.Id == id).ExecuteDeleteAsync();
                    });
                }
            }
            """
        );

    [Fact]
    public Task All_works_of_a_file_are_fixed_at_once() =>
        VerifyAsync(
            """
            public static class Endpoints
            {
                public static void Map(WebApplication app)
                {
                    app.MapPost("/a", (ShopDbContext db) => { Task.Run(async () => await {|PLT001:db|}.Orders.ExecuteDeleteAsync()); });
                    app.MapPost("/b", (ShopDbContext db) => { Task.Run(async () => await {|PLT001:db|}.Orders.ExecuteDeleteAsync()); });
                }
            }
            """,
            """
            public static class Endpoints
            {
                public static void Map(WebApplication app)
                {
                    app.MapPost("/a", (IServiceScopeFactory scopes) => { Task.Run(async () =>
                    {
                        await using var scope = scopes.CreateAsyncScope();
                        var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
                        return await db.Orders.ExecuteDeleteAsync();
                    }); });
                    app.MapPost("/b", (IServiceScopeFactory scopes) => { Task.Run(async () =>
                    {
                        await using var scope = scopes.CreateAsyncScope();
                        var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
                        return await db.Orders.ExecuteDeleteAsync();
                    }); });
                }
            }
            """
        );

    /// <summary>
    /// Each in an endpoint with the parameters <c>int id, ShopDbContext db, Orders orders, HttpContext context, Order order</c>.
    /// </summary>
    [Theory]
    // The fix would lose what the request did with the context.
    [InlineData(
        "db.Add(new Order()); _ = Task.Run(async () => { await {|PLT001:db|}.Orders.CountAsync(); await db.SaveChangesAsync(); });"
    )]
    [InlineData("_ = Task.Run(async () => await {|PLT001:db|}.SaveChangesAsync());")]
    [InlineData("_ = Task.Run(async () => { order.Id = 1; {|PLT001:db|}.Update(order); await db.SaveChangesAsync(); });")]
    [InlineData("_ = Task.Run(async () => { {|PLT001:db|} = null!; await db.Orders.CountAsync(); });")]
    // Two pieces of work share the context.
    [InlineData(
        "_ = Task.Run(async () => await {|PLT001:db|}.Orders.CountAsync()); _ = Task.Run(async () => await {|PLT001:db|}.Orders.CountAsync());"
    )]
    // Another scope has no HttpContext.
    [InlineData(
        "_ = Task.Run(async () => { await {|PLT001:db|}.Orders.CountAsync(); Console.WriteLine({|PLT001:context|}.TraceIdentifier); });"
    )]
    // The work is not asynchronous, or waits for nothing.
    [InlineData("_ = Task.Run(() => {|PLT001:db|}.Orders.Count());")]
    [InlineData("_ = Task.Run(() => { return {|PLT001:db|}.Orders.CountAsync(); });")]
    [InlineData("ThreadPool.QueueUserWorkItem(_ => {|PLT001:db|}.Orders.CountAsync());")]
    // There is no lambda: the call itself is the work.
    [InlineData("_ = {|PLT001:orders|}.ShipAsync(id);")]
    public Task No_fix_is_offered_where_something_would_be_lost(string statements) =>
        VerifyAsync(
            $$"""
            public static class Endpoints
            {
                public static void Map(WebApplication app)
                {
                    app.MapPost("/", (int id, ShopDbContext db, Orders orders, HttpContext context, Order order) =>
                    {
                        {{statements}}
                        return Results.Accepted();
                    });
                }
            }
            """
        );

    [Theory]
    // A method or a constructor has other callers, so it gets no parameter, and what a caller passes need not come from the container.
    [InlineData(
        "public class Shipping(ShopDbContext db) { public void Ship() { _ = Task.Run(async () => await {|PLT001:db|}.Orders.CountAsync()); } }"
    )]
    [InlineData(
        "public class Shipping(IServiceScopeFactory scopes) { public void Ship(ShopDbContext db) { _ = Task.Run(async () => await {|PLT001:db|}.Orders.CountAsync()); } }"
    )]
    // The request's IServiceProvider ends with the request.
    [InlineData(
        "public class Shipping(ShopDbContext db, IServiceProvider services) { public void Ship() { _ = Task.Run(async () => await {|PLT001:db|}.Orders.CountAsync()); } }"
    )]
    // Another method of the object may have used the context before.
    [InlineData(
        "public class Shipping(ShopDbContext db, IServiceScopeFactory scopes) { public void Ship() { Prepare(); _ = Task.Run(async () => await {|PLT001:db|}.Orders.CountAsync()); } private void Prepare() => db.Add(new Order()); }"
    )]
    // The context does not come from the constructor, or may change later.
    [InlineData(
        "public class Shipping(IServiceScopeFactory scopes) { public ShopDbContext Db { get; set; } = null!; public void Ship() { _ = Task.Run(async () => await {|PLT001:Db|}.Orders.CountAsync()); } }"
    )]
    // A keyed service is a different service.
    [InlineData(
        "public class Shipping([FromKeyedServices(1)] ShopDbContext db, IServiceScopeFactory scopes) { public void Ship() { _ = Task.Run(async () => await {|PLT001:db|}.Orders.CountAsync()); } }"
    )]
    // A static lambda cannot use the factory.
    [InlineData(
        "public class Shipping(IServiceScopeFactory scopes) { public void Map(Action<Func<Orders, Task>> map) => map(static orders => { _ = Task.Run(async () => await {|PLT001:orders|}.ShipAsync(1)); return Task.CompletedTask; }); }"
    )]
    public Task No_fix_is_offered_where_no_scope_can_be_had(string code) => VerifyAsync(code);

    private static Task VerifyAsync(string code, string? fixedCode = null) =>
        AnalyzerTest.VerifyFixAsync<OutlivesRequestAnalyzer, OwnScopeCodeFixProvider>(code, fixedCode);
}

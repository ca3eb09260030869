namespace Platform.HeavyTasks.Analyzers.Tests;

public sealed class OutlivesRequestTests
{
    [Theory]
    [InlineData("_ = Task.Run(() => {|PLT001:db|}.SaveChangesAsync());")]
    [InlineData("Task.Run(async () => { await {|PLT001:db|}.SaveChangesAsync(); db.Dispose(); });")]
    [InlineData("_ = Task.Run(() => {|PLT001:_db|}.SaveChangesAsync());")]
    [InlineData("_ = Task.Run(() => {|PLT001:orders|}.ShipAsync(id));")]
    [InlineData("_ = Task.Run(() => Console.WriteLine({|PLT001:context|}.TraceIdentifier));")]
    [InlineData("_ = Task.Run(() => WorkAsync({|PLT001:db|}, id));")]
    [InlineData("Task.Factory.StartNew(() => {|PLT001:db|}.SaveChanges());")]
    [InlineData("ThreadPool.QueueUserWorkItem(_ => {|PLT001:db|}.SaveChanges());")]
    [InlineData("context.Response.OnCompleted(() => {|PLT001:db|}.SaveChangesAsync());")]
    [InlineData("queue.Enqueue(token => {|PLT001:db|}.SaveChangesAsync(token));")]
    [InlineData("channel.Writer.TryWrite(() => {|PLT001:db|}.SaveChangesAsync());")]
    [InlineData("await channel.Writer.WriteAsync(() => {|PLT001:db|}.SaveChangesAsync());")]
    [InlineData("using var timer = new Timer(_ => {|PLT001:db|}.SaveChanges());")]
    [InlineData("_ = WorkAsync({|PLT001:db|}, id);")]
    [InlineData("_ = {|PLT001:orders|}.ShipAsync(id);")]
    [InlineData("{|PLT001:db|}.SaveChangesAsync();")]
    [InlineData("new List<int>().ForEach(async n => await {|PLT001:db|}.SaveChangesAsync());")]
    [InlineData(
        "var own = scopes.CreateScope().ServiceProvider.GetRequiredService<ShopDbContext>(); _ = Task.Run(() => {|PLT001:own|}.SaveChangesAsync());"
    )]
    public Task Work_that_nobody_waits_for_and_that_uses_what_is_the_requests_is_reported(string statements) =>
        AnalyzerTest.VerifyEndpointAsync<OutlivesRequestAnalyzer>(statements);

    [Theory]
    [InlineData("await Task.Run(() => db.SaveChangesAsync());")]
    [InlineData("var task = Task.Run(() => db.SaveChangesAsync()); await task;")]
    [InlineData("await Task.WhenAll(Task.Run(() => db.SaveChangesAsync()));")]
    [InlineData("await WorkAsync(db, id);")]
    [InlineData("await orders.ShipAsync(id);")]
    [InlineData("_ = Task.Run(() => Console.WriteLine(id));")]
    [InlineData(
        "_ = Task.Run(async () => { using var scope = scopes.CreateScope(); var own = scope.ServiceProvider.GetRequiredService<ShopDbContext>(); await own.SaveChangesAsync(); });"
    )]
    [InlineData(
        "var scope = scopes.CreateScope(); var own = scope.ServiceProvider.GetRequiredService<ShopDbContext>(); _ = Task.Run(async () => { await own.SaveChangesAsync(); scope.Dispose(); });"
    )]
    [InlineData(
        "var own = await factory.CreateDbContextAsync(); _ = Task.Run(async () => { await own.SaveChangesAsync(); await own.DisposeAsync(); });"
    )]
    [InlineData("_ = Task.Run(async () => { await using var own = await factory.CreateDbContextAsync(); await own.SaveChangesAsync(); });")]
    [InlineData(
        "queue.Enqueue(async token => { await using var own = await factory.CreateDbContextAsync(token); await own.SaveChangesAsync(token); });"
    )]
    [InlineData("new Queue<Order>().Enqueue(db.Orders.First());")]
    [InlineData("new List<int>().ForEach(n => db.Add(new Order { Id = n }));")]
    [InlineData("_ = db.Orders.Count();")]
    [InlineData("var path = context.Request.Path; _ = Task.Run(() => Console.WriteLine(path));")]
    [InlineData("context.Response.OnCompleted(() => Task.CompletedTask);")]
    public Task Work_that_is_awaited_or_has_what_it_uses_from_itself_is_not(string statements) =>
        AnalyzerTest.VerifyEndpointAsync<OutlivesRequestAnalyzer>(statements);

    [Fact]
    public Task Async_void_method_is_reported_but_not_the_handler_of_an_event() =>
        AnalyzerTest.VerifyAsync<OutlivesRequestAnalyzer>(
            """
            public class Service(ShopDbContext db)
            {
                public async void ShipAsync() => await {|PLT001:db|}.SaveChangesAsync();

                public async void OnClick(object sender, EventArgs e) => await db.SaveChangesAsync();

                public async Task WaitedForAsync() => await db.SaveChangesAsync();
            }
            """
        );

    [Fact]
    public Task Application_without_Entity_Framework_and_web_is_left_alone() =>
        AnalyzerTest.VerifyAsync<OutlivesRequestAnalyzer>("public class Nothing { public void Do() => _ = Task.Run(() => 1); }");
}

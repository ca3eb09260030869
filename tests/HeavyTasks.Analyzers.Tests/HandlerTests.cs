namespace Platform.HeavyTasks.Analyzers.Tests;

public sealed class HandlerTests
{
    [Fact]
    public Task Save_outside_a_checkpoint_and_publishing_at_once_are_reported() =>
        AnalyzerTest.VerifyAsync<HandlerAnalyzer>(
            """
            public class ShipHandler(ShopDbContext db, IPublishEndpoint endpoint, IBus bus) : HeavyTaskHandler<Ship>
            {
                public override async Task RunAsync(HeavyTaskContext<Ship> context)
                {
                    {|PLT003:db.SaveChanges()|};
                    await {|PLT003:db.SaveChangesAsync(context.CancellationToken)|};
                    await {|PLT004:endpoint.Publish(new Ship(1))|};
                    await {|PLT004:bus.Publish(new Ship(1))|};
                    await context.CheckpointAsync(new Ship(1), async (own, token) =>
                    {
                        await own.SaveChangesAsync(token);
                        await db.SaveChangesAsync(token);
                    });
                    await context.PublishAsync(new Ship(1));
                }
            }
            """
        );

    [Fact]
    public Task Other_classes_may() =>
        AnalyzerTest.VerifyAsync<HandlerAnalyzer>(
            """
            public class Other(ShopDbContext db, IPublishEndpoint endpoint)
            {
                public async Task DoAsync()
                {
                    await endpoint.Publish(new Ship(1));
                    await db.SaveChangesAsync();
                }
            }
            """
        );
}

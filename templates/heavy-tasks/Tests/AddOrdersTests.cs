using HeavyTasksApp.Contracts;
using HeavyTasksApp.Data;
using HeavyTasksApp.Worker;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Testing;

namespace HeavyTasksApp.Tests;

/// <summary>The handler in a worker on MassTransit's in-memory bus, and on a real database: the one that TEST_DATABASE names.</summary>
public sealed class AddOrdersTests
{
    [Fact]
    public async Task Every_order_is_added_once()
    {
        await using var worker = await StartWorkerAsync();
        var before = await CountOrdersAsync(worker);

        var task = await worker.RunAsync(new AddOrders { Count = 1_234 });

        Assert.Equal(HeavyTaskStatus.Succeeded, task.Status);
        Assert.Equal(1_234, task.ProgressDone);
        Assert.Equal(1_234, await CountOrdersAsync(worker) - before);
    }

    private static async Task<HeavyTaskTestHarness> StartWorkerAsync()
    {
        var database = Environment.GetEnvironmentVariable("TEST_DATABASE");
        Assert.SkipWhen(
            string.IsNullOrEmpty(database),
            "TEST_DATABASE is not set: this test needs the connection string of a database for tests (README.md)."
        );
        await HeavyTaskTestHarness.MigrateAsync<StarterDbContext>(database!);
        return await HeavyTaskTestHarness.StartAsync<StarterDbContext, AddOrdersHandler>(database!);
    }

    private static async Task<int> CountOrdersAsync(HeavyTaskTestHarness worker)
    {
        await using var scope = worker.Services.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<StarterDbContext>().Orders.CountAsync(TestContext.Current.CancellationToken);
    }
}

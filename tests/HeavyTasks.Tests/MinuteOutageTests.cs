using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>What was counted while the database was away is written afterwards.</summary>
public sealed class MinuteOutageTests : WorkerTest
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Counts_are_not_lost_when_one_of_their_writes_fails(int failing)
    {
        var worker = await StartWorkerAsync();
        var scopes = new FailingScopes(worker.Services.GetRequiredService<IServiceScopeFactory>()) { Failing = failing };
        using var keeper = new MinuteKeeper(
            new InstanceIdentity("counting"),
            scopes,
            TimeProvider.System,
            NullLogger<MinuteKeeper>.Instance
        );
        foreach (var kind in new[] { "a", "b", "c" })
        {
            keeper.Waited(kind, TimeSpan.FromSeconds(1));
            keeper.Ended(kind, AttemptOutcome.Succeeded, TimeSpan.FromSeconds(2));
        }

        // It writes once more when it stops.
        await keeper.StopAsync(CancellationToken.None);
        scopes.Asked.ShouldBe(failing);
        (await ReadAsync()).Count.ShouldBe(failing - 1);
        keeper.Ended("a", AttemptOutcome.Failed, TimeSpan.FromSeconds(2));

        await keeper.StopAsync(CancellationToken.None);

        var (succeeded, failed) = (new Dictionary<string, int>(), 0);
        foreach (var row in await ReadAsync())
        {
            // A minute may have ended meanwhile.
            succeeded[row.Kind] = succeeded.GetValueOrDefault(row.Kind) + row.Succeeded;
            failed += row.Failed;
        }

        succeeded.ShouldBe(
            new Dictionary<string, int>
            {
                ["a"] = 1,
                ["b"] = 1,
                ["c"] = 1,
            },
            ignoreOrder: true
        );
        failed.ShouldBe(1);

        async Task<List<HeavyTaskMinute>> ReadAsync()
        {
            await using var db = Database.CreateContext();
            return await db.HeavyTaskMinutes.AsNoTracking().Where(m => m.Kind.Length == 1).ToListAsync();
        }
    }

    // A database that is away for one statement.
    private sealed class FailingScopes(IServiceScopeFactory scopes) : IServiceScopeFactory
    {
        public int Failing { get; init; }

        public int Asked { get; private set; }

        public IServiceScope CreateScope() => ++Asked == Failing ? throw new TimeoutException("away") : scopes.CreateScope();
    }
}

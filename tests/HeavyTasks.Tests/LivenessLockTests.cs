using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks.Tests;

public sealed class LivenessLockTests : WorkerTest
{
    // The server may not have noticed yet that the connection which held it is gone.
    [Fact]
    public async Task A_lock_that_was_refused_is_asked_for_again()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:Platform"] = Database.ConnectionString })
            .Build();
        var instance = new InstanceIdentity("test");
        await using var earlier = new LivenessLock(instance, configuration, Options.Create(new DatabaseOptions()));
        await using var later = new LivenessLock(instance, configuration, Options.Create(new DatabaseOptions()));
        await earlier.KeepAsync(TestContext.Current.CancellationToken);
        await later.KeepAsync(TestContext.Current.CancellationToken);
        (earlier.IsHeld, later.IsHeld).ShouldBe((true, false));

        await earlier.ReleaseAsync();
        await Support.Eventually.Async(
            async () =>
            {
                await later.KeepAsync(CancellationToken.None);
                return later.IsHeld;
            },
            TimeSpan.FromSeconds(20),
            "the lock is held"
        );
    }
}

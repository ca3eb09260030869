using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform.HeavyTasks.Testing;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

public sealed class LivenessLockTests : WorkerTest
{
    // The server may not have noticed yet that the connection which held the lock is gone.
    [Fact]
    public async Task A_lock_that_was_refused_is_asked_for_again()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:Platform"] = Database.ConnectionString })
            .Build();
        var instance = new InstanceIdentity("test");
        await using var earlier = new LivenessLock(instance, configuration, Options.Create(new DatabaseOptions()), TimeProvider.System);
        await using var later = new LivenessLock(instance, configuration, Options.Create(new DatabaseOptions()), TimeProvider.System);
        await earlier.AcquireAsync(TestContext.Current.CancellationToken);
        await later.AcquireAsync(TestContext.Current.CancellationToken);
        (earlier.IsHeld, later.IsHeld).ShouldBe((true, false));

        await earlier.ReleaseAsync();
        await Eventually.Async(
            async () =>
            {
                await later.AcquireAsync(CancellationToken.None);
                return later.IsHeld;
            },
            TimeSpan.FromSeconds(20),
            "the lock is held"
        );
    }

    // The server has ended the session, and the network has kept that from the worker, which waits for an answer that never comes.
    [Fact]
    public async Task A_living_worker_whose_lock_was_lost_without_a_word_keeps_its_tasks()
    {
        await using var proxy = TcpProxy.Before(Database.ConnectionString, out var throughProxy);
        var task = await InsertAsync();
        var released = new TaskCompletionSource();
        Script.Work = (context, _) => released.Task.WaitAsync(TimeSpan.FromSeconds(60), context.CancellationToken);
        var worker = await StartWorkerAsync(("ConnectionStrings:PlatformDirect", throughProxy));
        await Eventually.Async(
            async () => (await ReadAsync(task)).Status == HeavyTaskStatus.Running && await HoldsLockAsync(worker),
            TimeSpan.FromSeconds(20),
            "the worker runs the task and holds its lock"
        );
        var judge = await StartWorkerAsync();
        await Eventually.Async(
            () => Task.FromResult(judge.Services.GetRequiredService<LivenessLock>().HeldFor > Liveness.Credible),
            TimeSpan.FromSeconds(20),
            "another worker judges"
        );

        // Longer than a proof waits for its answer (5 s) and than another worker needs to judge (2 s).
        proxy.FallSilent();
        await Database.EndConnectionsAsync($"{worker.Services.GetRequiredService<InstanceIdentity>().Service}-liveness");
        await Task.Delay(TimeSpan.FromSeconds(8), TimeProvider.System, TestContext.Current.CancellationToken);
        (await HoldsLockAsync(worker)).ShouldBeFalse();
        proxy.Speak();

        await Eventually.Async(() => HoldsLockAsync(worker), TimeSpan.FromSeconds(20), "the worker holds its lock again");
        released.SetResult();
        await Eventually.Async(
            async () => (await ReadAsync(task)).Status == HeavyTaskStatus.Succeeded,
            TimeSpan.FromSeconds(20),
            "the task ends"
        );
        (await AttemptsAsync(task)).Count.ShouldBe(1);
    }

    private async Task<bool> HoldsLockAsync(HeavyTaskTestHarness worker)
    {
        var id = worker.Services.GetRequiredService<InstanceIdentity>().Id;
        await using var db = Database.CreateContext();
        return await db.Instances.AnyAsync(i => i.Id == id && i.HoldsLock);
    }
}

using Microsoft.EntityFrameworkCore;
using Platform.Persistence;
using Platform.Support;

namespace Platform.Faults.Tests;

/// <summary>Something that goes wrong in a running system, and is over when <see cref="InjectAsync"/> returns.</summary>
/// <param name="Name">What goes wrong.</param>
/// <param name="InjectAsync">Makes it go wrong.</param>
/// <param name="Times">How often it occurs in a round of faults: those that take long occur less often.</param>
public sealed record Fault(string Name, Func<FaultSystem, Random, Task> InjectAsync, int Times = 4)
{
    // The load takes about a second.
    private const int RowsOfALoad = 100_000;

    private static readonly TimeSpan PastTheLease = TimeSpan.FromSeconds(40);

    /// <summary>Processes of the platform end or stand still.</summary>
    public static IReadOnlyList<Fault> OfProcesses { get; } =
    [
        new("worker killed", (system, random) => system.KillWorkerAsync(Any(system, random))),
        new("worker rolled", (system, random) => system.RollWorkerAsync(Any(system, random))),
        new("three times as many workers", (system, random) => system.TripleWorkersAsync(TimeSpan.FromSeconds(random.Next(8))), Times: 1),
        new("a task kills its worker", (system, random) => system.DieOfTaskAsync(random.Next(6)), Times: 2),
        new("worker halted past its lease in a bulk load", (system, _) => system.HaltInBulkLoadAsync(RowsOfALoad, PastTheLease), Times: 1),
        new("API killed", (system, _) => system.ReplaceApiAsync(kill: true)),
        new("API rolled", (system, _) => system.ReplaceApiAsync(kill: false)),
        new("worker halted for a moment", (system, random) => HaltAsync(Any(system, random), TimeSpan.FromSeconds(1 + random.Next(8)))),
        new(
            "worker halted past its lease",
            (system, random) =>
            {
                system.ExpectDeath();
                return HaltAsync(Any(system, random), PastTheLease);
            },
            Times: 1
        ),
    ];

    /// <summary>The broker fails.</summary>
    public static IReadOnlyList<Fault> OfTheBroker { get; } =
    [
        new("broker restarted", (system, _) => system.Broker.RestartAsync()),
        new(
            "broker killed",
            async (system, random) =>
            {
                await system.Broker.KillAsync();
                await PauseAsync(random, 4);
                await system.Broker.StartAsync();
            }
        ),
        new("all broker connections closed", (system, _) => system.Broker.VirtualHost.CloseConnectionsAsync()),
        new(
            "queue deleted",
            async (system, _) =>
            {
                await system.Broker.VirtualHost.DeleteQueueAsync("heavy-task.fault.count");

                // RabbitMQ 3.10 that is killed within two seconds of a queue's declaration may keep a queue that never gets a leader again:
                // somebody has to delete it (docs/operations.md). That fault is not ours.
                await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System, TestContext.Current.CancellationToken);
            }
        ),
        new(
            "memory alarm",
            async (system, random) =>
            {
                await system.Broker.RaiseMemoryAlarmAsync();
                await PauseAsync(random, 8);
                await system.Broker.EndMemoryAlarmAsync();
            }
        ),
        new(
            "queue without a leader",
            async (system, random) =>
            {
                await system.Broker.SuspendAsync("heavy-task.fault.count");
                await PauseAsync(random, 15);
                await system.Broker.ResumeAsync("heavy-task.fault.count");
            }
        ),
    ];

    /// <summary>The database fails.</summary>
    public static IReadOnlyList<Fault> OfTheDatabase { get; } =
    [
        new("database restarted", (system, _) => system.Database.RestartAsync()),
        new(
            "database killed",
            async (system, random) =>
            {
                await system.Database.KillAsync();
                await PauseAsync(random, 3);
                await system.Database.StartAsync();
            }
        ),
        new("every session ended", (system, _) => DatabaseFaults.EndSessionsAsync(system, "platform-fault-%")),
        new(
            "liveness sessions ended, again and again",
            async (system, _) =>
            {
                for (var i = 0; i < 4; i++)
                {
                    await DatabaseFaults.EndSessionsAsync(system, "%-liveness");
                    await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, TestContext.Current.CancellationToken);
                }
            }
        ),
        new("tasks locked", (system, random) => DatabaseFaults.LockTasksAsync(system, TimeSpan.FromSeconds(5 + random.Next(10)))),
        new(
            "out of connections",
            (system, random) => DatabaseFaults.TakeConnectionsAsync(system, TimeSpan.FromSeconds(3 + random.Next(5)))
        ),
        new(
            "database away for longer than the lease",
            async (system, _) =>
            {
                await system.Database.StopAsync();
                await Task.Delay(PastTheLease, TimeProvider.System, TestContext.Current.CancellationToken);
                await system.Database.StartAsync();
            },
            Times: 1
        ),
        new(
            "statement timeout of 10 ms",
            async (system, random) =>
            {
                await DatabaseFaults.LimitStatementsAsync(system, TimeSpan.FromMilliseconds(10));
                await PauseAsync(random, 8);
                await DatabaseFaults.LimitStatementsAsync(system, TimeSpan.Zero);
            }
        ),
    ];

    /// <summary>The network fails without a word: what was sent is late, or not known to have arrived.</summary>
    public static IReadOnlyList<Fault> OfTheNetwork { get; } =
    [
        new(
            "worker hears nothing of the database",
            (system, random) => SilenceAsync(system.NetworkOf(Any(system, random)).Database, TimeSpan.FromSeconds(1 + random.Next(10)))
        ),
        new(
            "worker hears nothing of the database until its lease has ended",
            (system, random) =>
            {
                system.ExpectDeath();
                return SilenceAsync(system.NetworkOf(Any(system, random)).Database, PastTheLease);
            },
            Times: 1
        ),
        new(
            "nobody hears anything of the database",
            async (system, random) =>
            {
                var time = TimeSpan.FromSeconds(1 + random.Next(10));
                await Task.WhenAll([.. system.Networks.Select(network => SilenceAsync(network.Database, time))]);
            }
        ),
        new(
            "API hears nothing of the broker",
            (system, random) => SilenceAsync(system.NetworkOf(system.Api).Broker, TimeSpan.FromSeconds(1 + random.Next(20)))
        ),
        new(
            "worker hears nothing of the broker",
            (system, random) => SilenceAsync(system.NetworkOf(Any(system, random)).Broker, TimeSpan.FromSeconds(1 + random.Next(20)))
        ),
        new(
            "slow network",
            async (system, random) =>
            {
                var networks = system.Networks.ToList();
                var delay = TimeSpan.FromMilliseconds(10 + random.Next(150));
                networks.ForEach(network => network.Database.Delay = network.Broker.Delay = delay);
                await PauseAsync(random, 10);
                networks.ForEach(network => network.Database.Delay = network.Broker.Delay = TimeSpan.Zero);
            }
        ),
    ];

    public static IReadOnlyList<Fault> All => [.. OfProcesses, .. OfTheBroker, .. OfTheDatabase, .. OfTheNetwork];

    private static ServiceProcess Any(FaultSystem system, Random random) => system.AllWorkers[random.Next(system.AllWorkers.Count)];

    private static async Task HaltAsync(ServiceProcess process, TimeSpan time)
    {
        process.Pause();
        await Task.Delay(time, TimeProvider.System, TestContext.Current.CancellationToken);
        process.Resume();
    }

    private static async Task SilenceAsync(TcpProxy network, TimeSpan time)
    {
        network.FallSilent();
        await Task.Delay(time, TimeProvider.System, TestContext.Current.CancellationToken);
        network.Speak();
    }

    private static Task PauseAsync(Random random, int maxSeconds) =>
        Task.Delay(TimeSpan.FromSeconds(random.NextDouble() * maxSeconds), TimeProvider.System, TestContext.Current.CancellationToken);
}

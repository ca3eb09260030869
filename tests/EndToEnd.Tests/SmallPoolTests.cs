using System.Globalization;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>A worker with far more slots than connections.</summary>
public sealed class SmallPoolTests
{
    private const int Pool = 2;
    private const int Slots = 20;

    private static readonly (string, string)[] Settings =
    [
        ("Database:MaxPoolSize", Pool.ToString(CultureInfo.InvariantCulture)),
        ("HeavyTasks:Kinds:test.steps:Concurrency", Slots.ToString(CultureInfo.InvariantCulture)),
        ("HeavyTasks:PoolCheck", "Off"),
    ];

    [Fact]
    public async Task Pool_too_small_for_the_slots_makes_tasks_slower_and_loses_none()
    {
        await using var system = await TestSystem.StartAsync();
        await using var connections = ConnectionSampler.Start(system.Database);
        await system.StartWorkerAsync(Settings);
        var ids = new List<Guid>();
        for (var task = 0; task < 3 * Slots; task++)
        {
            ids.Add(await system.SubmitStepsAsync($"small{task:00}", steps: 10, pauseMilliseconds: 1));
        }

        foreach (var id in ids)
        {
            await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded);
        }

        for (var task = 0; task < 3 * Slots; task++)
        {
            (await system.StepsWrittenAsync($"small{task:00}")).ShouldBe(Enumerable.Range(0, 10));
        }

        (await system.AttemptsAsync(ids[0])).Count.ShouldBe(1);
        connections.Samples.ShouldBeGreaterThan(0);
        connections.Most.ShouldBeInRange(1, Pool);
    }

    [Fact]
    public async Task Handlers_that_compute_for_a_minute_hold_no_connection()
    {
        await using var system = await TestSystem.StartAsync();
        await system.StartWorkerAsync(Settings);
        var ids = new List<Guid>();
        for (var task = 0; task < Slots; task++)
        {
            ids.Add(await system.SubmitStepsAsync($"minute{task:00}", steps: 1, pauseMilliseconds: 60_000));
        }

        for (var task = 0; task < Slots; task++)
        {
            await system.WaitForStepAsync($"minute{task:00}", 0);
        }

        // All tasks run, ten times as many as there are connections, and the connections are free.
        await using (var busy = ConnectionSampler.Start(system.Database, onlyBusy: true))
        {
            await Eventually.Async(() => busy.Samples >= 150, TimeSpan.FromSeconds(60));
            busy.WithNone.ShouldBeGreaterThan(busy.Samples / 2);
        }

        foreach (var id in ids)
        {
            (await system.ReadAsync(id)).Status.ShouldBe(HeavyTaskStatus.Running);
        }

        foreach (var id in ids)
        {
            await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded, TimeSpan.FromSeconds(120));
            (await system.AttemptsAsync(id)).Count.ShouldBe(1);
        }
    }

    /// <summary>Counts the connections of the worker's pool five times a second, without the connection of its liveness lock.</summary>
    private sealed class ConnectionSampler : IAsyncDisposable
    {
        private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

        private readonly CancellationTokenSource end = new();
        private readonly Task sampling;
        private int samples;
        private int withNone;
        private int most;

        private ConnectionSampler(TestDatabase database, bool onlyBusy) => sampling = SampleAsync(database, onlyBusy);

        public int Samples => Volatile.Read(ref samples);

        public int WithNone => Volatile.Read(ref withNone);

        public int Most => Volatile.Read(ref most);

        public static ConnectionSampler Start(TestDatabase database, bool onlyBusy = false) => new(database, onlyBusy);

        public async ValueTask DisposeAsync()
        {
            await end.CancelAsync();
            await sampling;
            end.Dispose();
        }

        private async Task SampleAsync(TestDatabase database, bool onlyBusy)
        {
            await using var connection = await database.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = TestDatabase.CountConnections("platform-test-worker", onlyBusy);
            using var timer = new PeriodicTimer(Interval);
            try
            {
                while (await timer.WaitForNextTickAsync(end.Token))
                {
                    var count = (int)(long)(await command.ExecuteScalarAsync(CancellationToken.None))!;
                    most = Math.Max(most, count);
                    withNone += count == 0 ? 1 : 0;
                    samples++;
                }
            }
            catch (OperationCanceledException) { }
        }
    }
}

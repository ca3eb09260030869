using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Platform.HeavyTasks.Testing;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>The log names whoever holds a connection while nothing runs on it, and nobody else.</summary>
public sealed class ConnectionHoldTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TestScript script = new();
    private readonly RecordedLog log = new();
    private readonly TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        release.TrySetResult();
        await database.DisposeAsync();
        log.Dispose();
    }

    [Fact]
    public async Task Handler_that_keeps_a_connection_while_it_computes_is_named_once_in_the_log_in_the_row_and_by_the_meters()
    {
        await using var worker = await StartWorkerAsync();
        script.Work = async (context, db) =>
        {
            await db.Database.OpenConnectionAsync(context.CancellationToken);
            await db.Users.CountAsync(context.CancellationToken);
            await release.Task;
            await db.Database.CloseConnectionAsync();
        };
        using var meters = new Meters(worker.Services.GetRequiredService<IMeterFactory>());

        var id = await worker.SubmitAsync(new TestParameters("secret"));

        var warning = await NextWarningAsync();
        warning.Values["TaskId"].ShouldBe(id);
        warning.Values["Kind"].ShouldBe("test.kind");
        warning.Values["Attempt"].ShouldBe(1);
        Seconds(warning, "Held").ShouldBeGreaterThanOrEqualTo(2);
        Seconds(warning, "Idle").ShouldBeInRange(2, Seconds(warning, "Held"));
        warning.Text.ShouldContain("The server says so.");
        warning.Text.ShouldNotContain("secret");
        await Eventually.Async(async () => (await ReadHoldersAsync()) is [{ IdleTooLong: true }], Patience);
        var holder = (await ReadHoldersAsync()).Single();
        (holder.Kind, holder.TaskId, holder.Attempt, holder.HasEnded).ShouldBe(("test.kind", id, 1, false));
        holder.IdleSeconds!.Value.ShouldBeInRange(2, holder.HeldSeconds);
        meters.Read("platform.pool.held_idle").ShouldBe(1);
        meters.Read("platform.pool.held_longest").ShouldBeGreaterThan(2);

        release.SetResult();
        (await worker.FinishedAsync(id)).Status.ShouldBe(HeavyTaskStatus.Succeeded);

        await Eventually.Async(async () => (await ReadHoldersAsync()).Count == 0, Patience);
        meters.Read("platform.pool.held_idle").ShouldBe(0);
        Warnings.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Rows_that_wait_to_be_read_while_the_handler_computes_hold_the_connection_too()
    {
        await using var worker = await StartWorkerAsync();
        script.Work = async (context, db) =>
        {
            await foreach (var _ in db.HeavyTasks.AsNoTracking().AsAsyncEnumerable().WithCancellation(context.CancellationToken))
            {
                await release.Task;
            }
        };

        var id = await worker.SubmitAsync(new TestParameters());

        (await NextWarningAsync()).Values["TaskId"].ShouldBe(id);
    }

    [Theory]
    [InlineData("Entity Framework")]
    [InlineData("the driver")]
    public async Task While_one_long_statement_runs_the_connection_is_in_use_whoever_executes_it(string by)
    {
        await using var worker = await StartWorkerAsync();
        var endedAfter = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        script.Work = async (context, db) =>
        {
            await db.Database.OpenConnectionAsync(context.CancellationToken);
            if (by == "the driver")
            {
                await using var command = db.Database.GetDbConnection().CreateCommand();
                command.CommandText = Sleep(5);
                await command.ExecuteNonQueryAsync(context.CancellationToken);
            }
            else
            {
                await db.Database.ExecuteSqlRawAsync(Sleep(5), context.CancellationToken);
            }

            endedAfter.SetResult(Warnings.Count);
            await release.Task;
        };

        await worker.SubmitAsync(new TestParameters());

        (await endedAfter.Task.WaitAsync(Patience)).ShouldBe(0, string.Join('\n', Warnings.Select(w => w.Text)));

        // The watch was looking all the time, so it reports what happens afterwards and counts from the end of the statement.
        var warning = await NextWarningAsync();
        Seconds(warning, "Held").ShouldBeGreaterThanOrEqualTo(Seconds(warning, "Idle") + 4);
    }

    [Fact]
    public async Task Handler_that_computes_without_a_connection_is_not_named()
    {
        await using var worker = await StartWorkerAsync();
        script.Work = async (context, db) =>
        {
            await db.Users.CountAsync(context.CancellationToken);
            if (context.Parameters.Text == "holds")
            {
                await db.Database.OpenConnectionAsync(context.CancellationToken);
            }

            await release.Task;
        };

        var computes = await worker.SubmitAsync(new TestParameters("computes"));
        await Eventually.Async(() => script.Runs == 1, Patience);
        var holds = await worker.SubmitAsync(new TestParameters("holds"));

        (await NextWarningAsync()).Values["TaskId"].ShouldBe(holds);
        Warnings.ShouldNotContain(w => w.Values["TaskId"]!.Equals(computes));
    }

    [Fact]
    public async Task What_an_attempt_leaves_behind_is_named_after_it()
    {
        await using var worker = await StartWorkerAsync();
        var scopes = worker.Services.GetRequiredService<IServiceScopeFactory>();
        Task? leftBehind = null;
        script.Work = (_, _) =>
        {
            leftBehind = Task.Run(async () =>
            {
                await using var scope = scopes.CreateAsyncScope();
                await scope.ServiceProvider.GetRequiredService<PlatformDbContext>().Database.OpenConnectionAsync();
                await release.Task;
            });
            return Task.CompletedTask;
        };

        var id = (await worker.RunAsync(new TestParameters())).Id;

        var warning = await NextWarningAsync();
        warning.Values["TaskId"].ShouldBe(id);
        warning.Text.ShouldContain("(ended)");
        release.SetResult();
        await leftBehind!;

        // The scope disposed its context without closing the connection.
        var holders = worker.Services.GetRequiredService<ConnectionHolders>();
        holders.All.ShouldNotContain(h => h.Holder is RunningAttempt);
    }

    [Fact]
    public async Task Where_the_server_cannot_be_asked_the_log_says_so()
    {
        await using var worker = await StartWorkerAsync(UseServerThatIsAway);
        script.Work = async (context, db) =>
        {
            await db.Database.OpenConnectionAsync(context.CancellationToken);
            await release.Task;
        };

        var id = await worker.SubmitAsync(new TestParameters());

        var warning = await NextWarningAsync();
        warning.Values["TaskId"].ShouldBe(id);
        warning.Text.ShouldContain("The server could not be asked");
    }

    [Fact]
    public async Task Time_in_which_the_process_stood_still_is_nobodys_fault()
    {
        var time = new ShiftedTime();
        await using var worker = await StartWorkerAsync(
            services =>
            {
                services.Replace(ServiceDescriptor.Singleton<TimeProvider>(time));
                UseServerThatIsAway(services);
            },
            ("Database:IdleConnectionLimit", "00:00:04")
        );
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        script.Work = async (context, db) =>
        {
            await db.Database.OpenConnectionAsync(context.CancellationToken);
            held.SetResult();
            await release.Task;
        };
        await worker.SubmitAsync(new TestParameters());
        await held.Task.WaitAsync(Patience);

        time.Forward(TimeSpan.FromSeconds(60));

        // When the process looks again, the connection has been held for a minute. The warning comes only when the limit has passed while
        // the process was looking.
        Seconds(await NextWarningAsync(), "Idle").ShouldBeGreaterThanOrEqualTo(62.5);
    }

    [Fact]
    public async Task With_a_limit_of_zero_nobody_records_anything()
    {
        await using var worker = await StartWorkerAsync(settings: ("Database:IdleConnectionLimit", "00:00:00"));
        var seen = -1;
        script.Work = async (context, db) =>
        {
            await db.Database.OpenConnectionAsync(context.CancellationToken);
            seen = worker.Services.GetRequiredService<ConnectionHolders>().All.Count();
        };

        await worker.RunAsync(new TestParameters());

        seen.ShouldBe(0);
    }

    // Only warnings about tasks: on a machine that is busy with other tests, the engine's own loops may be slow enough to be named.
    private IReadOnlyList<RecordedLog.Entry> Warnings =>
        [.. log.Of(nameof(ConnectionHoldWatch), LogLevel.Warning).Where(w => w.Values.ContainsKey("TaskId"))];

    private static string Sleep(int seconds) =>
        Dialect.Current.Name == "MySql"
            ? string.Create(CultureInfo.InvariantCulture, $"SELECT SLEEP({seconds})")
            : string.Create(CultureInfo.InvariantCulture, $"SELECT pg_sleep({seconds})");

    private static double Seconds(RecordedLog.Entry entry, string name) => (double)entry.Values[name]!;

    private static void UseServerThatIsAway(IServiceCollection services) =>
        services.Replace(
            ServiceDescriptor.Singleton(provider => new ServerSessions(
                provider.GetRequiredService<InstanceIdentity>(),
                new ConfigurationBuilder()
                    .AddInMemoryCollection([new("ConnectionStrings:Platform", "Server=127.0.0.1;Port=1;Username=nobody")])
                    .Build(),
                provider.GetRequiredService<IOptions<DatabaseOptions>>()
            ))
        );

    private Task<RecordedLog.Entry> NextWarningAsync() =>
        Eventually.GetAsync(() => Task.FromResult(Warnings.Count > 0 ? Warnings[0] : null), Patience);

    private async Task<IReadOnlyList<ConnectionHolder>> ReadHoldersAsync()
    {
        await using var db = database.CreateContext();
        return ConnectionHolder.Read((await db.Instances.AsNoTracking().SingleAsync()).ConnectionHolders);
    }

    private Task<HeavyTaskTestHarness> StartWorkerAsync(
        Action<IServiceCollection>? configure = null,
        params (string Key, string Value)[] settings
    ) =>
        HeavyTaskTestHarness.StartAsync<PlatformDbContext, TestHandler>(
            database.ConnectionString,
            services =>
            {
                services.AddSingleton(script).AddSingleton<ILoggerProvider>(log);
                configure?.Invoke(services);
            },
            settings: [("Database:IdleConnectionLimit", "00:00:02"), ("HeavyTasks:DrainTimeout", "00:00:01"), .. settings]
        );

    /// <summary>The meters of the pool, which are read on demand.</summary>
    private sealed class Meters : IDisposable
    {
        private readonly ConcurrentDictionary<string, double> values = new();
        private readonly MeterListener listener = new();

        public Meters(IMeterFactory worker)
        {
            listener.InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == PoolMetrics.MeterName && instrument.Meter.Scope == worker)
                {
                    l.EnableMeasurementEvents(instrument);
                }
            };
            listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => values[instrument.Name] = value);
            listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => values[instrument.Name] = value);
            listener.Start();
        }

        public double Read(string name)
        {
            listener.RecordObservableInstruments();
            return values[name];
        }

        public void Dispose() => listener.Dispose();
    }
}

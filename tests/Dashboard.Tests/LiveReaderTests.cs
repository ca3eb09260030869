using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Platform.HeavyTasks.Dashboard;
using Platform.Support;

namespace Platform.Dashboard.Tests;

/// <summary>One reader for all who look at the same thing, and none for what nobody looks at.</summary>
public sealed class LiveReaderTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ServiceProvider services = new ServiceCollection().BuildServiceProvider();
    private readonly DashboardOptions options = new()
    {
        RefreshInterval = TimeSpan.FromMilliseconds(20),
        ReadTimeout = TimeSpan.FromSeconds(5),
    };
    private readonly LiveReader reader;

    public LiveReaderTests() =>
        reader = new LiveReader(
            services.GetRequiredService<IServiceScopeFactory>(),
            Options.Create(options),
            TimeProvider.System,
            NullLogger<LiveReader>.Instance
        );

    public void Dispose()
    {
        reader.Dispose();
        services.Dispose();
    }

    [Fact]
    public async Task All_who_look_at_the_same_share_one_reader_and_are_told_of_each_read()
    {
        var source = new Source();
        var told = new int[50];
        var looks = Enumerable
            .Range(0, 50)
            .Select(i => reader.Begin(new Query(source, "a"), () => Interlocked.Increment(ref told[i])))
            .ToList();

        await Eventually.Async(() => Task.FromResult(told.All(count => count >= 3)), Patience);

        reader.Count.ShouldBe(1);
        source.MaxAtOnce.ShouldBe(1);
        looks.Select(look => look.Current.Value).Distinct().Count().ShouldBe(1);
        looks.ForEach(look => look.Dispose());
    }

    [Fact]
    public async Task What_nobody_looks_at_any_more_is_not_read_and_can_be_looked_at_again()
    {
        var source = new Source();
        var look = reader.Begin(new Query(source, "a"), () => { });
        await look.FirstRead.WaitAsync(Patience, TestContext.Current.CancellationToken);

        look.Dispose();

        await Eventually.Async(() => Task.FromResult(reader.Count == 0), Patience);
        var reads = source.Reads;
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, TestContext.Current.CancellationToken);
        source.Reads.ShouldBe(reads);
        using var again = reader.Begin(new Query(source, "a"), () => { });
        await again.FirstRead.WaitAsync(Patience, TestContext.Current.CancellationToken);
        again.Current.Value.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_read_that_fails_keeps_the_last_value_and_its_time_and_the_next_one_recovers()
    {
        var source = new Source();
        using var look = reader.Begin(new Query(source, "a"), () => { });
        await look.FirstRead.WaitAsync(Patience, TestContext.Current.CancellationToken);
        source.Failure = new InvalidOperationException("away");

        await Eventually.Async(() => Task.FromResult(look.Current.Failure is not null), Patience);

        var stale = look.Current;
        stale.Value.ShouldNotBeNull();
        stale.Failure.ShouldBe("The database does not answer.");
        source.Failure = null;
        await Eventually.Async(() => Task.FromResult(look.Current.Failure is null && look.Current.ReadAt > stale.ReadAt), Patience);
    }

    [Fact]
    public async Task However_many_different_things_are_looked_at_few_are_read_at_once()
    {
        var source = new Source { Pause = TimeSpan.FromMilliseconds(5) };
        var looks = Enumerable.Range(0, 40).Select(i => reader.Begin(new Query(source, $"{i}"), () => { })).ToList();

        foreach (var look in looks)
        {
            await look.FirstRead.WaitAsync(Patience, TestContext.Current.CancellationToken);
        }

        source.MaxAtOnce.ShouldBeLessThanOrEqualTo(options.MaxConcurrentReads);
        looks.ForEach(look => look.Dispose());
    }

    [Fact]
    public async Task A_read_without_end_fails_in_time_and_does_not_keep_the_others_out()
    {
        options.ReadTimeout = TimeSpan.FromMilliseconds(100);
        var (hanging, other) = (new Source { Pause = TimeSpan.FromHours(1) }, new Source());
        var looks = Enumerable.Range(0, 10).Select(i => reader.Begin(new Query(hanging, $"{i}"), () => { })).ToList();
        await Eventually.Async(() => Task.FromResult(looks.All(look => look.Current.Failure is not null)), Patience);
        looks.ForEach(look => look.Dispose());

        using var fine = reader.Begin(new Query(other, "fine"), () => { });

        await Eventually.Async(() => Task.FromResult(fine.Current.Value is not null), Patience);
    }

    [Fact]
    public async Task A_watcher_that_throws_stops_nobody_else()
    {
        var source = new Source();
        using var bad = reader.Begin(new Query(source, "a"), () => throw new InvalidOperationException("watcher"));
        var told = 0;
        using var good = reader.Begin(new Query(source, "a"), () => Interlocked.Increment(ref told));

        await Eventually.Async(() => Task.FromResult(Volatile.Read(ref told) >= 3), Patience);
    }

    private sealed class Source
    {
        private int reads;
        private int now;

        public TimeSpan Pause { get; init; }

        public Exception? Failure { get; set; }

        public int Reads => Volatile.Read(ref reads);

        public int MaxAtOnce { get; private set; }

        public async Task<string> ReadAsync(CancellationToken cancellationToken)
        {
            var atOnce = Interlocked.Increment(ref now);
            MaxAtOnce = Math.Max(MaxAtOnce, atOnce);
            try
            {
                Interlocked.Increment(ref reads);
                await Task.Delay(Pause, TimeProvider.System, cancellationToken);
                return Failure is null ? $"read {Reads}" : throw Failure;
            }
            finally
            {
                Interlocked.Decrement(ref now);
            }
        }
    }

    private sealed record Query(Source Source, string What) : ILiveQuery<string>
    {
        public Task<string> ReadAsync(IServiceProvider scope, CancellationToken cancellationToken) => Source.ReadAsync(cancellationToken);
    }
}

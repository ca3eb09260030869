using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Platform.HeavyTasks.Testing;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

public sealed class KindAnnouncerTests : WorkerTest
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Fact]
    public async Task A_worker_that_has_started_has_announced_its_kinds()
    {
        await StartWorkerAsync();

        var kind = await SingleAsync();

        kind.Name.ShouldBe("test.kind");
        kind.Service.ShouldNotBeEmpty();
        JsonElement
            .Parse(kind.ParametersSchema)
            .GetProperty("properties")
            .GetProperty("text")
            .GetProperty("type")
            .GetString()
            .ShouldBe("string");
    }

    [Fact]
    public async Task A_worker_that_starts_replaces_what_differs_and_leaves_alone_what_is_the_same_and_fresh()
    {
        await StartWorkerAsync();
        var first = await SingleAsync();

        await StartWorkerAsync();
        (await SingleAsync()).AnnouncedAt.ShouldBe(first.AnnouncedAt);

        await ChangeAsync(kind => kind.ParametersSchema = "{}");
        await StartWorkerAsync();
        (await SingleAsync()).ParametersSchema.ShouldBe(first.ParametersSchema);
    }

    [Fact]
    public async Task A_later_round_confirms_what_is_old_and_takes_back_only_what_was_abandoned()
    {
        var announcer = Announcer(await StartWorkerAsync());
        var own = (await SingleAsync()).ParametersSchema;

        // A newer version has announced something else. As long as it confirms that, this worker keeps out of it.
        await ChangeAsync(kind => kind.ParametersSchema = "{}");
        await ShiftAsync(TimeSpan.FromHours(30));
        await announcer.AnnounceAsync(isStart: false, Never);
        (await SingleAsync()).ParametersSchema.ShouldBe("{}");

        await ShiftAsync(TimeSpan.FromHours(20));
        await announcer.AnnounceAsync(isStart: false, Never);
        (await SingleAsync()).ParametersSchema.ShouldBe(own);

        await ShiftAsync(TimeSpan.FromHours(24));
        var old = (await SingleAsync()).AnnouncedAt;
        await announcer.AnnounceAsync(isStart: false, Never);
        (await SingleAsync()).AnnouncedAt.ShouldBeGreaterThan(old.AddHours(23));
    }

    [Fact]
    public async Task Many_workers_that_announce_at_once_all_succeed()
    {
        var announcers = new List<KindAnnouncer>();
        for (var number = 0; number < 3; number++)
        {
            announcers.Add(Announcer(await StartWorkerAsync()));
        }

        for (var round = 0; round < 10; round++)
        {
            await using (var db = Database.CreateContext())
            {
                await db.AnnouncedKinds.ExecuteDeleteAsync();
            }

            await Task.WhenAll(announcers.SelectMany(a => Enumerable.Range(0, 4).Select(_ => a.AnnounceAsync(isStart: true, Never))));
            (await SingleAsync()).Name.ShouldBe("test.kind");
        }
    }

    [Fact]
    public async Task A_worker_that_cannot_announce_starts_and_announces_when_it_can()
    {
        await Database.ScalarAsync("ALTER TABLE heavy_task_kinds ADD CONSTRAINT nothing CHECK (name = '')");

        var worker = await StartWorkerAsync();

        (await worker.RunAsync(new TestParameters())).Status.ShouldBe(HeavyTaskStatus.Succeeded);
        (await Database.CountAsync("heavy_task_kinds")).ShouldBe(0);
        Log.Of(nameof(KindAnnouncer), LogLevel.Warning).ShouldNotBeEmpty();
        await Database.ScalarAsync("ALTER TABLE heavy_task_kinds DROP CONSTRAINT nothing");
        await Announcer(worker).AnnounceAsync(isStart: true, Never);
        (await SingleAsync()).Name.ShouldBe("test.kind");
    }

    [Fact]
    public async Task A_kind_that_nobody_announced_for_a_month_is_forgotten()
    {
        await StartWorkerAsync(("HeavyTasks:RetentionInterval", "00:00:01"));
        await using (var db = Database.CreateContext())
        {
            var now = await Dialect.Current.ReadClockAsync(db, Never);
            db.AnnouncedKinds.AddRange(Kind("test.old", now.AddDays(-31)), Kind("test.recent", now.AddDays(-29)));
            await db.SaveChangesAsync();
        }

        await Eventually.Async(
            async () => await Database.CountAsync("heavy_task_kinds") == 2,
            TimeSpan.FromSeconds(30),
            "the old kind is gone"
        );
        await using var after = Database.CreateContext();
        (await after.AnnouncedKinds.Select(kind => kind.Name).Order().ToListAsync()).ShouldBe(["test.kind", "test.recent"]);
    }

    private static AnnouncedKind Kind(string name, DateTime announcedAt) =>
        new()
        {
            Name = name,
            ParametersSchema = "{}",
            AnnouncedAt = announcedAt,
        };

    private static KindAnnouncer Announcer(HeavyTaskTestHarness worker) =>
        worker.Services.GetServices<IHostedService>().OfType<KindAnnouncer>().Single();

    private async Task<AnnouncedKind> SingleAsync()
    {
        await using var db = Database.CreateContext();
        return await db.AnnouncedKinds.AsNoTracking().SingleAsync();
    }

    private Task ShiftAsync(TimeSpan older) => ChangeAsync(kind => kind.AnnouncedAt -= older);

    private async Task ChangeAsync(Action<AnnouncedKind> change)
    {
        await using var db = Database.CreateContext();
        change(await db.AnnouncedKinds.SingleAsync());
        await db.SaveChangesAsync();
    }
}

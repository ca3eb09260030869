using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;

namespace Platform.Databases.Tests;

public sealed class KindTests(ConformanceDatabase database) : ConformanceTest(database)
{
    [Fact]
    public async Task A_kind_is_announced_and_announced_again_by_the_same_statement_on_the_servers_clock()
    {
        await using var db = CreateContext();
        var before = await Database.ReadClockAsync(db, Cancelled);

        await AnnounceAsync(db, "test.kind", "First.", """{"a":"{0}"}""", "one");
        await AnnounceAsync(db, "Test.Kind", "Another.", "{}", "one");
        var first = await db.AnnouncedKinds.AsNoTracking().SingleAsync(kind => kind.Name == "test.kind", Cancelled);
        await AnnounceAsync(db, "test.kind", "Second.", """{"b":"é😀"}""", "two");

        var kind = await db.AnnouncedKinds.AsNoTracking().SingleAsync(kind => kind.Name == "test.kind", Cancelled);
        (first.Description, first.ParametersSchema, first.Service).ShouldBe(("First.", """{"a":"{0}"}""", "one"));
        (kind.Description, kind.ParametersSchema, kind.Service).ShouldBe(("Second.", """{"b":"é😀"}""", "two"));
        first.AnnouncedAt.ShouldBeGreaterThanOrEqualTo(before);
        kind.AnnouncedAt.ShouldBeGreaterThan(first.AnnouncedAt);
        (await db.AnnouncedKinds.Where(kind => kind.Name == "Test.Kind").Select(kind => kind.Description).SingleAsync(Cancelled)).ShouldBe(
            "Another."
        );
    }

    [Fact]
    public async Task Many_sessions_announce_the_same_kind_at_once()
    {
        await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(async number =>
                {
                    await using var db = CreateContext();
                    for (var round = 0; round < 10; round++)
                    {
                        await Deadlocks.RetryAsync(
                            () => AnnounceAsync(db, "test.shared", $"{number}", "{}", "many"),
                            TimeProvider.System,
                            Cancelled
                        );
                    }
                })
        );

        await using var after = CreateContext();
        (await after.AnnouncedKinds.CountAsync(kind => kind.Name == "test.shared", Cancelled)).ShouldBe(1);
    }

    private static Task<int> AnnounceAsync(DbContext db, string name, string description, string schema, string service) =>
        db.Database.ExecuteSqlRawAsync(Database.AnnounceKind(EngineTables.Of(db)), [name, description, schema, service], Cancelled);
}

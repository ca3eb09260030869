using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.HeavyTasks;

/// <summary>The slots of a kind, and the tasks of it that wait.</summary>
public sealed class KindSettingsTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task The_slots_of_a_kind_are_set_and_taken_back_and_each_change_is_recorded()
    {
        await api.AnnounceAsync("test.slots");

        (await SetAsync("test.slots", """{"slots":3}""")).GetProperty("slots").GetInt32().ShouldBe(3);
        (await SetAsync("test.slots", """{"slots":3}""")).GetProperty("slots").GetInt32().ShouldBe(3);
        (await SlotsAsync("test.slots")).ShouldBe(3);
        (await SetAsync("test.slots", """{"slots":null}""")).GetProperty("slots").ValueKind.ShouldBe(JsonValueKind.Null);

        (await SlotsAsync("test.slots")).ShouldBeNull();
        await using var db = api.Database.CreateContext();
        (await db.AuditEntries.Where(e => e.Target == "test.slots").Select(e => e.Action).ToListAsync()).ShouldBe([
            "SetKindSlots",
            "SetKindSlots",
        ]);
    }

    [Theory]
    [InlineData("""{"slots":0}""", "slots")]
    [InlineData("""{"slots":1001}""", "slots")]
    [InlineData("""{"slots":"2"}""", "slots")]
    [InlineData("""{}""", "slots")]
    [InlineData("""{"slots":2,"kind":"other"}""", "kind")]
    public async Task A_number_that_is_none_is_named(string body, string field)
    {
        await api.AnnounceAsync($"test.{Guid.NewGuid():N}");
        using var content = new StringContent(body, Encoding.UTF8, "application/json");

        using var response = await api.Client.PutAsync("/heavy-tasks/kinds/test.slots/slots", content);

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, field);
    }

    [Fact]
    public async Task A_kind_that_nobody_announced_has_no_slots()
    {
        using var content = new StringContent("""{"slots":1}""", Encoding.UTF8, "application/json");

        using var response = await api.Client.PutAsync("/heavy-tasks/kinds/nobody.knows/slots", content);

        await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_purge_cancels_what_waits_of_one_kind_and_nothing_else()
    {
        var kind = $"test.{Guid.NewGuid():N}";
        var now = TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(-1);
        var queued = Enumerable.Range(0, 1_200).Select(_ => HeavyTask.Submit(kind, "{}", 1, now)).ToList();
        var scheduled = HeavyTask.Submit(kind, "{}", 1, now, now.AddHours(1));
        var running = HeavyTask.Submit(kind, "{}", 1, now);
        var other = HeavyTask.Submit("test.other", "{}", 1, now);
        await using (var db = api.Database.CreateContext())
        {
            db.AddRange([.. queued, scheduled, running, other]);
            await db.SaveChangesAsync();
        }

        await api.RunningAsync(running.Id);

        using var response = await api.Client.PostAsync($"/heavy-tasks/kinds/{kind}/purge", null);

        var purged = await response.ShouldBeJsonAsync(HttpStatusCode.OK);
        purged.GetProperty("cancelled").GetInt32().ShouldBe(1_201);
        purged.GetProperty("hasMore").GetBoolean().ShouldBeFalse();
        (await api.FindTaskAsync(running.Id)).Status.ShouldBe(HeavyTaskStatus.Running);
        (await api.FindTaskAsync(other.Id)).Status.ShouldBe(HeavyTaskStatus.Queued);
        (await api.FindTaskAsync(scheduled.Id)).Status.ShouldBe(HeavyTaskStatus.Cancelled);
        await Platform.Support.Eventually.Async(
            () =>
                Task.FromResult(
                    queued
                        .Append(scheduled)
                        .Select(t => t.Id)
                        .ToHashSet()
                        .SetEquals(
                            api.Messages.OfType<Platform.Contracts.HeavyTaskCancelled>().Where(m => m.Kind == kind).Select(m => m.TaskId)
                        )
                ),
            TimeSpan.FromSeconds(30),
            "each has its event"
        );
        await using var after = api.Database.CreateContext();
        (await after.HeavyTasks.CountAsync(t => t.Kind == kind && t.Status == HeavyTaskStatus.Cancelled)).ShouldBe(1_201);
        (await after.AuditEntries.CountAsync(e => e.Action == "PurgeKind" && e.Target == kind)).ShouldBe(3, "one for each transaction");
    }

    [Fact]
    public async Task A_purge_spares_what_was_submitted_after_its_time_and_says_what_is_left()
    {
        var kind = $"test.{Guid.NewGuid():N}";
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var (old, locked, later) = (
            HeavyTask.Submit(kind, "{}", 1, now.AddMinutes(-2)),
            HeavyTask.Submit(kind, "{}", 1, now.AddMinutes(-2)),
            HeavyTask.Submit(kind, "{}", 1, now)
        );
        await using var db = api.Database.CreateContext();
        db.AddRange(old, locked, later);
        await db.SaveChangesAsync();

        // As a worker does that is about to claim it.
        await using var claiming = await db.Database.BeginTransactionAsync();
        await db.HeavyTasks.Where(t => t.Id == locked.Id).ExecuteUpdateAsync(set => set.SetProperty(t => t.MaxFailures, 2));

        var time = Uri.EscapeDataString($"{now.AddMinutes(-1):o}");
        using var first = await api.Client.PostAsync($"/heavy-tasks/kinds/{kind}/purge?createdBefore={time}", null);
        await claiming.CommitAsync();
        using var second = await api.Client.PostAsync($"/heavy-tasks/kinds/{kind}/purge?createdBefore={time}", null);

        var (left, done) = (await first.ShouldBeJsonAsync(HttpStatusCode.OK), await second.ShouldBeJsonAsync(HttpStatusCode.OK));
        (left.GetProperty("cancelled").GetInt32(), left.GetProperty("hasMore").GetBoolean()).ShouldBe((1, true));
        (done.GetProperty("cancelled").GetInt32(), done.GetProperty("hasMore").GetBoolean()).ShouldBe((1, false));
        done.GetProperty("createdBefore").GetDateTime().ShouldBe(now.AddMinutes(-1), TimeSpan.FromMilliseconds(1));
        (await api.FindTaskAsync(old.Id)).Status.ShouldBe(HeavyTaskStatus.Cancelled);
        (await api.FindTaskAsync(later.Id)).Status.ShouldBe(HeavyTaskStatus.Queued);
    }

    [Fact]
    public async Task A_kind_that_nobody_knows_is_not_purged_and_one_without_tasks_is()
    {
        await api.AnnounceAsync("test.empty");
        using var unknown = await api.Client.PostAsync("/heavy-tasks/kinds/test.emtpy/purge", null);
        await unknown.ShouldBeProblemAsync(HttpStatusCode.NotFound);
        using var empty = await api.Client.PostAsync("/heavy-tasks/kinds/test.empty/purge", null);
        (await empty.ShouldBeJsonAsync(HttpStatusCode.OK)).GetProperty("cancelled").GetInt32().ShouldBe(0);
        using var wrong = await api.Client.PostAsync("/heavy-tasks/kinds/test.empty/purge?createdBefore=soon", null);
        await wrong.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "createdBefore");
        await using var db = api.Database.CreateContext();
        (await db.AuditEntries.Where(e => e.Target == "test.emtpy").Select(e => e.Outcome).ToListAsync()).ShouldBe(["NotFound"]);
    }

    private async Task<JsonElement> SetAsync(string kind, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await api.Client.PutAsync($"/heavy-tasks/kinds/{kind}/slots", content);
        return await response.ShouldBeJsonAsync(HttpStatusCode.OK);
    }

    private async Task<int?> SlotsAsync(string kind)
    {
        await using var db = api.Database.CreateContext();
        return await db.AnnouncedKinds.Where(k => k.Name == kind).Select(k => k.Slots).SingleAsync();
    }
}

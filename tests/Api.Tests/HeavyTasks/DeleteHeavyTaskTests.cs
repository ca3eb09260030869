using System.Net;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.HeavyTasks;

public sealed class DeleteHeavyTaskTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task A_finished_task_is_gone_with_all_that_belongs_to_it_and_its_neighbour_stays()
    {
        var (id, other) = (await SucceededAsync(), await SucceededAsync());

        using var response = await api.Client.DeleteAsync($"/heavy-tasks/{id}");

        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        foreach (var path in (string[])["", "/log", "/result"])
        {
            using var gone = await api.Client.GetAsync($"/heavy-tasks/{id}{path}");
            await gone.ShouldBeProblemAsync(HttpStatusCode.NotFound);
        }

        await using var db = api.Database.CreateContext();
        (await db.HeavyTaskAttempts.CountAsync(a => a.TaskId == id)).ShouldBe(0);
        (await db.HeavyTaskLogLines.CountAsync(l => l.TaskId == id)).ShouldBe(0);
        (await db.HeavyTaskTags.CountAsync(t => t.TaskId == id)).ShouldBe(0);
        (await db.Files.Where(f => f.TaskId == id).Select(f => f.ExpiresAt).SingleAsync()).ShouldNotBeNull("a worker deletes the file");
        (await db.HeavyTaskAttempts.CountAsync(a => a.TaskId == other)).ShouldBe(1);
        (await db.HeavyTaskLogLines.CountAsync(l => l.TaskId == other)).ShouldBe(1);
        (await db.HeavyTaskTags.CountAsync(t => t.TaskId == other)).ShouldBe(1);
        (await db.Files.Where(f => f.TaskId == other).Select(f => f.ExpiresAt).SingleAsync()).ShouldBeNull();
        (await OutcomesAsync(id)).ShouldBe(["Done"]);
        using var again = await api.Client.DeleteAsync($"/heavy-tasks/{id}");
        await again.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_task_that_waits_or_runs_is_not_deleted()
    {
        var (waiting, running) = (await api.Client.SubmitTaskAsync(), await api.Client.SubmitTaskAsync());
        await api.RunningAsync(running);
        foreach (var id in (Guid[])[waiting, running])
        {
            using var response = await api.Client.DeleteAsync($"/heavy-tasks/{id}");

            await response.ShouldBeProblemAsync(HttpStatusCode.Conflict);
            (await OutcomesAsync(id)).ShouldBe(["Conflict"]);
        }

        (await api.FindTaskAsync(waiting)).Status.ShouldBe(HeavyTaskStatus.Queued);
        (await api.FindTaskAsync(running)).Status.ShouldBe(HeavyTaskStatus.Running);
    }

    [Fact]
    public async Task A_tenant_deletes_nothing_of_another()
    {
        using var red = await api.ClientWithAsync(HeavyTaskRole.Submit | HeavyTaskRole.Operate, "red");
        using var blue = await api.ClientWithAsync(HeavyTaskRole.Submit | HeavyTaskRole.Operate, "blue");
        var id = await red.SubmitTaskAsync();
        await api.CancelledAsync(id);

        using var foreign = await blue.DeleteAsync($"/heavy-tasks/{id}");
        await foreign.ShouldBeProblemAsync(HttpStatusCode.NotFound);
        (await api.FindTaskAsync(id)).Status.ShouldBe(HeavyTaskStatus.Cancelled);

        using var own = await red.DeleteAsync($"/heavy-tasks/{id}");
        own.StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    private async Task<Guid> SucceededAsync()
    {
        var id = await api.Client.SubmitTaskAsync("""{"kind":"users.statistics","tags":["deleted"]}""");
        await using var db = api.Database.CreateContext();
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var file = new StoredFile
        {
            Id = Guid.CreateVersion7(),
            Name = "result.csv",
            ContentType = "text/csv",
            CreatedAt = now,
            ClosedAt = now,
            TaskId = id,
        };
        db.Add(file);
        db.Add(
            new HeavyTaskLogLine
            {
                TaskId = id,
                Attempt = 1,
                Number = 1,
                At = now,
                Text = "done",
            }
        );
        await db.SaveChangesAsync();
        await api.SucceededAsync(id, """{"rows":3}""", file.Id);
        return id;
    }

    private async Task<List<string>> OutcomesAsync(Guid id)
    {
        await using var db = api.Database.CreateContext();
        return await db
            .AuditEntries.Where(e => e.Target == $"{id}" && e.Action == "DeleteHeavyTask")
            .OrderBy(e => e.Id)
            .Select(e => e.Outcome)
            .ToListAsync();
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Platform.Api.Tests.HeavyTasks;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.Access;

/// <summary>Who did what to which task or key is recorded, and can be read.</summary>
public sealed class AuditTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task What_is_done_to_a_task_is_recorded_with_who_when_from_where_and_how_it_ended()
    {
        using var client = await api.ClientWithAsync(HeavyTaskRole.Submit | HeavyTaskRole.Operate, "red");
        var task = await client.SubmitTaskAsync();
        using var cancelled = await client.PostAsync($"/heavy-tasks/{task}/cancel", null);
        using var again = await client.PostAsync($"/heavy-tasks/{task}/cancel", null);
        using var retried = await client.PostAsync($"/heavy-tasks/{task}/retry", null);
        again.StatusCode.ShouldBe(HttpStatusCode.Conflict);

        var entries = await AuditAsync($"?target={task}");

        entries
            .Select(entry => $"{entry.GetProperty("action").GetString()} {entry.GetProperty("outcome").GetString()}")
            .ShouldBe(["RetryHeavyTask Done", "CancelHeavyTask Conflict", "CancelHeavyTask Done"]);
        var first = entries[^1];
        first.GetProperty("actor").GetString().ShouldBe(client.DefaultRequestHeaders.Authorization!.Parameter!.Split('_')[1]);
        first.GetProperty("actorName").GetString().ShouldBe("a test");
        first.GetProperty("tenant").GetString().ShouldBe("red");
        first.GetProperty("address").GetString().ShouldBe("127.0.0.1");
        first
            .GetProperty("createdAt")
            .GetDateTime()
            .ShouldBeInRange(DateTime.UnixEpoch.AddYears(50), TimeProvider.System.GetUtcNow().UtcDateTime);
    }

    [Fact]
    public async Task What_is_refused_is_recorded_and_leaves_the_task_as_it_is()
    {
        using var reader = await api.ClientWithAsync(HeavyTaskRole.Read);
        using var stranger = await api.ClientWithAsync(HeavyTaskRole.Operate, "blue");
        var task = await api.Client.SubmitTaskAsync();
        using var forbidden = await reader.PostAsync($"/heavy-tasks/{task}/cancel", null);
        forbidden.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using var notFound = await stranger.PostAsync($"/heavy-tasks/{task}/cancel", null);
        notFound.StatusCode.ShouldBe(HttpStatusCode.NotFound);

        (await AuditAsync($"?target={task}"))
            .Select(entry => $"{entry.GetProperty("action").GetString()} {entry.GetProperty("outcome").GetString()}")
            .ShouldBe(["CancelHeavyTask NotFound", "CancelHeavyTask Forbidden"]);
        (await api.FindTaskAsync(task)).Status.ShouldBe(HeavyTaskStatus.Queued);
    }

    [Fact]
    public async Task Keys_are_recorded_without_what_they_hold()
    {
        using var body = new StringContent(
            """{"name":"recorded","roles":["read"]}""",
            Encoding.UTF8,
            new MediaTypeHeaderValue("application/json")
        );
        using var created = await api.Client.PostAsync("/keys", body);
        var key = await created.ShouldBeJsonAsync(HttpStatusCode.Created);
        var id = key.GetProperty("id").GetString()!;
        using var revoked = await api.Client.DeleteAsync($"/keys/{id}");

        var entries = await AuditAsync($"?target={id}");

        entries.Select(entry => entry.GetProperty("action").GetString()).ShouldBe(["RevokeKey", "CreateKey"]);
        string.Concat(entries).ShouldNotContain(key.GetProperty("key").GetString()!.Split('_')[2]);
    }

    [Fact]
    public async Task To_ask_again_for_what_was_done_is_no_entry()
    {
        var running = await api.Client.SubmitTaskAsync();
        await api.RunningAsync(running);
        var key = (await (await api.Client.PostAsync("/keys", Json("again"))).ShouldBeJsonAsync(HttpStatusCode.Created))
            .GetProperty("id")
            .GetString();
        for (var i = 0; i < 5; i++)
        {
            using var cancelled = await api.Client.PostAsync($"/heavy-tasks/{running}/cancel", null);
            cancelled.StatusCode.ShouldBe(HttpStatusCode.Accepted);
            using var revoked = await api.Client.DeleteAsync($"/keys/{key}");
            revoked.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        }

        (await AuditAsync($"?target={running}")).Count.ShouldBe(1);
        (await AuditAsync($"?target={key}")).Count.ShouldBe(2);

        static StringContent Json(string name) =>
            new($$"""{"name":"{{name}}","roles":["read"]}""", Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
    }

    [Fact]
    public async Task A_client_cannot_fill_the_record_with_what_it_may_not_do()
    {
        using var reader = await api.ClientWithAsync(HeavyTaskRole.Read);
        var id = reader.DefaultRequestHeaders.Authorization!.Parameter!.Split('_')[1];
        for (var i = 0; i < 100; i++)
        {
            using var refused = await reader.PostAsync($"/heavy-tasks/{Guid.NewGuid()}/cancel", null);
            refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        }

        (await AuditAsync($"?actor={id}&limit=200")).Count.ShouldBeInRange(10, 20);
    }

    [Fact]
    public async Task Pages_follow_each_other_and_only_administrators_read_them()
    {
        using var client = await api.ClientWithAsync(HeavyTaskRole.Submit | HeavyTaskRole.Operate);
        var actor = client.DefaultRequestHeaders.Authorization!.Parameter!.Split('_')[1];
        var tasks = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            var task = await client.SubmitTaskAsync();
            using var cancelled = await client.PostAsync($"/heavy-tasks/{task}/cancel", null);
            tasks.Insert(0, $"{task}");
        }

        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await api.Client.GetJsonAsync($"/audit?actor={actor}&limit=2{(cursor is null ? "" : $"&cursor={cursor}")}");
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(entry => entry.GetProperty("target").GetString()!));
            cursor = page.GetProperty("next").GetString();
        } while (cursor is not null);

        seen.ShouldBe(tasks);
        using var refused = await client.GetAsync("/audit");
        await refused.ShouldBeProblemAsync(HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("cursor=x", "cursor")]
    [InlineData("actor=%07", "actor")]
    [InlineData("target=a&target=b", "target")]
    public async Task A_wrong_parameter_is_named(string query, string field)
    {
        using var response = await api.Client.GetAsync($"/audit?{query}");

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, field);
    }

    [Fact]
    public async Task A_key_made_by_a_command_is_recorded_with_who_ran_it()
    {
        await using var db = api.Database.CreateContext();
        var key = await ApiKeys.CreateAsync(db, "by hand", HeavyTaskRole.Read);

        var entry = (await AuditAsync($"?target={key.Split('_')[1]}")).ShouldHaveSingleItem();
        entry.GetProperty("actorName").GetString().ShouldBe($"{Environment.UserName} on {Environment.MachineName}");
        (await db.AuditEntries.AsNoTracking().CountAsync(e => e.Target == key.Split('_', 3)[1])).ShouldBe(1);
    }

    private async Task<List<JsonElement>> AuditAsync(string query) =>
        [.. (await api.Client.GetJsonAsync($"/audit{query}")).GetProperty("items").EnumerateArray()];
}

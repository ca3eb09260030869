using System.Net;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.HeavyTasks;

public sealed class PauseKindTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task A_kind_is_paused_once_and_the_list_says_since_when_until_it_is_resumed()
    {
        await api.AnnounceAsync("test.paused");
        using var paused = await api.Client.PostAsync("/heavy-tasks/kinds/test.paused/pause", null);
        var since = (await paused.ShouldBeJsonAsync(HttpStatusCode.OK)).GetProperty("pausedAt").GetDateTime();
        using var again = await api.Client.PostAsync("/heavy-tasks/kinds/test.paused/pause", null);
        (await again.ShouldBeJsonAsync(HttpStatusCode.OK)).GetProperty("pausedAt").GetDateTime().ShouldBe(since);
        (await ListedAsync("test.paused")).ShouldBe(since);

        using var resumed = await api.Client.PostAsync("/heavy-tasks/kinds/test.paused/resume", null);
        using var resumedAgain = await api.Client.PostAsync("/heavy-tasks/kinds/test.paused/resume", null);

        (await resumed.ShouldBeJsonAsync(HttpStatusCode.OK))
            .GetProperty("pausedAt")
            .ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);
        resumedAgain.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await ListedAsync("test.paused")).ShouldBeNull();
        await using var db = api.Database.CreateContext();
        (await db.AuditEntries.Where(e => e.Target == "test.paused").OrderBy(e => e.Id).Select(e => e.Action).ToListAsync()).ShouldBe([
            "PauseKind",
            "ResumeKind",
        ]);
    }

    [Theory]
    [InlineData("nobody.knows")]
    [InlineData("%01")]
    [InlineData("%F0%9F%8C%8D")]
    public async Task A_kind_that_nobody_announced_cannot_be_paused(string kind)
    {
        using var response = await api.Client.PostAsync($"/heavy-tasks/kinds/{kind}/pause", null);

        await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
        using var tooLong = await api.Client.PostAsync($"/heavy-tasks/kinds/{new string('k', 101)}/resume", null);
        await tooLong.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_client_of_a_tenant_pauses_nothing_because_kinds_belong_to_all()
    {
        await api.AnnounceAsync("test.shared");
        using var client = await api.ClientWithAsync(HeavyTaskRole.Operate, "red");

        using var response = await client.PostAsync("/heavy-tasks/kinds/test.shared/pause", null);

        await response.ShouldBeProblemAsync(HttpStatusCode.Forbidden);
        (await ListedAsync("test.shared")).ShouldBeNull();
        await using var db = api.Database.CreateContext();
        (await db.AuditEntries.Where(e => e.Target == "test.shared").Select(e => e.Outcome).ToListAsync()).ShouldBe(["Forbidden"]);
    }

    private async Task<DateTime?> ListedAsync(string kind)
    {
        DateTime? found = null;
        await Platform.Support.Eventually.Async(
            async () =>
            {
                var kinds = await api.Client.GetJsonAsync("/heavy-tasks/kinds");
                var listed = kinds.EnumerateArray().FirstOrDefault(k => k.GetProperty("kind").GetString() == kind);
                if (listed.ValueKind == System.Text.Json.JsonValueKind.Undefined)
                {
                    return false;
                }

                found =
                    listed.GetProperty("pausedAt").ValueKind == System.Text.Json.JsonValueKind.Null
                        ? null
                        : listed.GetProperty("pausedAt").GetDateTime();
                return true;
            },
            TimeSpan.FromSeconds(20)
        );
        return found;
    }
}

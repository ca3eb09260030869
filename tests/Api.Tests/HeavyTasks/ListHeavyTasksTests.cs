using System.Net;
using System.Text.Json;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.HeavyTasks;

public sealed class ListHeavyTasksTests(ApiFixture fixture) : IClassFixture<ApiFixture>, IAsyncLifetime
{
    private static readonly string[] Kinds = ["users.export", "users.statistics"];

    private readonly TestApi api = fixture.Api;

    // 60 tasks of two kinds in six statuses, submitted one second apart, so that their order is certain.
    public async ValueTask InitializeAsync()
    {
        if (await api.Database.CountAsync("heavy_tasks") > 0)
        {
            return;
        }

        await api.Database.InsertTasksAsync(
            Enumerable
                .Range(1, 60)
                .Select(n =>
                    (Guid.Parse($"0199f2a0-00{n:00}-7000-8000-000000000000"), Kinds[n % 2], Enum.GetNames<HeavyTaskStatus>()[n % 6])
                )
        );
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("limit=ten", "limit")]
    [InlineData("limit=99999999999", "limit")]
    [InlineData("limit=%2010", "limit")]
    [InlineData("limit=%2B10", "limit")]
    [InlineData("limit=10&limit=20", "limit")]
    [InlineData("kind=a&kind=b", "kind")]
    [InlineData("status=%20Queued", "status")]
    [InlineData("status=Done", "status")]
    [InlineData("status=1", "status")]
    [InlineData("status=Queued,Running", "status")]
    [InlineData("kind=a%00b", "kind")]
    [InlineData("cursor=x", "cursor")]
    [InlineData("cursor=AAAA", "cursor")]
    [InlineData("cursor=%2B%2B%2B%2B%2B%2B%2B%2B%2B%2B%2B%2B%2B%2B%2B%2B%2B%2B%2B%2B%2B%2B", "cursor")]
    public async Task Bad_parameter_is_named(string query, string field)
    {
        using var response = await api.Client.GetAsync($"/heavy-tasks?{query}");

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, field);
    }

    [Fact]
    public async Task Task_in_a_list_has_the_fields_of_the_contract()
    {
        var page = await api.Client.GetJsonAsync("/heavy-tasks?limit=1");

        page.EnumerateObject().Select(p => p.Name).ShouldBe(["items", "next"]);
        var item = page.GetProperty("items")[0];
        item.EnumerateObject()
            .Select(p => p.Name)
            .ShouldBe(["id", "kind", "status", "attempt", "createdAt", "startedAt", "finishedAt", "progress", "error", "links"]);
        item.GetProperty("links").GetProperty("self").GetString().ShouldBe($"/heavy-tasks/{item.GetProperty("id").GetGuid()}");
    }

    [Fact]
    public async Task Default_page_has_the_50_newest()
    {
        var page = await api.Client.GetJsonAsync("/heavy-tasks");

        page.GetProperty("items").GetArrayLength().ShouldBe(50);
        page.GetProperty("items")[0].GetProperty("id").GetGuid().ShouldBe(Id(60));
        page.GetProperty("next").GetString().ShouldNotBeNull();
    }

    [Fact]
    public async Task Last_page_has_no_next()
    {
        var page = await api.Client.GetJsonAsync("/heavy-tasks?limit=60");

        page.GetProperty("items").GetArrayLength().ShouldBe(60);
        page.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Kind_that_never_was_has_no_tasks()
    {
        var page = await api.Client.GetJsonAsync("/heavy-tasks?kind=never.was");

        page.GetProperty("items").GetArrayLength().ShouldBe(0);
        page.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("failed", null)]
    [InlineData(null, "users.export")]
    [InlineData("Queued", "users.statistics")]
    public async Task Pages_cover_every_matching_task_once_newest_first(string? status, string? kind)
    {
        var expected = Enumerable
            .Range(1, 60)
            .Reverse()
            .Where(n => status is null || Enum.GetName((HeavyTaskStatus)(n % 6))!.Equals(status, StringComparison.OrdinalIgnoreCase))
            .Where(n => kind is null || Kinds[n % 2] == kind)
            .Select(Id);

        var seen = new List<Guid>();
        for (string? cursor = ""; cursor is not null; )
        {
            var page = await api.Client.GetJsonAsync($"/heavy-tasks?limit=7&status={status}&kind={kind}&cursor={cursor}");
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("id").GetGuid()));
            cursor = page.GetProperty("next").GetString();
        }

        seen.ShouldBe(expected);
    }

    private static Guid Id(int n) => Guid.Parse($"0199f2a0-00{n:00}-7000-8000-000000000000");
}

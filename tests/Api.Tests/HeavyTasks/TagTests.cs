using System.Diagnostics;
using System.Net;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.HeavyTasks;

/// <summary>Tasks are found again by their tags and by the time of their submission.</summary>
public sealed class TagTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task Tasks_with_a_tag_are_listed_page_by_page_and_with_other_filters()
    {
        var tag = $"order:{Guid.NewGuid():N}";
        var ids = new List<Guid>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(await SubmitAsync(api.Client, tag, "other"));
            await api.Client.SubmitTaskAsync();
        }

        await api.CancelledAsync(ids[1]);

        var first = await api.Client.GetJsonAsync($"/heavy-tasks?tag={Uri.EscapeDataString(tag)}&limit=3");
        Ids(first).ShouldBe([ids[4], ids[3], ids[2]]);
        var second = await api.Client.GetJsonAsync(
            $"/heavy-tasks?tag={Uri.EscapeDataString(tag)}&limit=3&cursor={first.GetProperty("next").GetString()}"
        );
        Ids(second).ShouldBe([ids[1], ids[0]]);
        Ids(await ListAsync($"tag={tag}&status=Cancelled")).ShouldBe([ids[1]]);
        Ids(await ListAsync($"tag={tag}&kind=users.import")).ShouldBeEmpty();
        Ids(await ListAsync($"tag={tag}&kind=users.statistics&status=Queued")).ShouldBe([ids[4], ids[3], ids[2], ids[0]]);
        var task = await api.Client.GetJsonAsync($"/heavy-tasks/{ids[0]}");
        task.GetProperty("tags").EnumerateArray().Select(t => t.GetString()).ShouldBe([tag, "other"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_tenant_finds_its_own_tasks_by_a_tag_that_others_use_too()
    {
        using var red = await api.ClientWithAsync(HeavyTaskRole.Submit | HeavyTaskRole.Read, "red");
        using var blue = await api.ClientWithAsync(HeavyTaskRole.Submit | HeavyTaskRole.Read, "blue");
        var tag = $"{Guid.NewGuid():N}";
        var (ofRed, ofBlue) = (await SubmitAsync(red, tag), await SubmitAsync(blue, tag));

        Ids(await red.GetJsonAsync($"/heavy-tasks?tag={tag}")).ShouldBe([ofRed]);
        Ids(await blue.GetJsonAsync($"/heavy-tasks?tag={tag}&status=Queued")).ShouldBe([ofBlue]);
        Ids(await ListAsync($"tag={tag}")).ShouldBe([ofBlue, ofRed], ignoreOrder: true);
    }

    [Theory]
    [InlineData("")]
    [InlineData("&status=Queued")]
    [InlineData("&kind=users.statistics")]
    public async Task Tasks_are_listed_by_the_time_of_their_submission(string filter)
    {
        var before = await CreatedAsync(await api.Client.SubmitTaskAsync());
        await LaterThanAsync(before);
        var id = await api.Client.SubmitTaskAsync();
        var created = await CreatedAsync(id);
        await LaterThanAsync(created);
        var after = await CreatedAsync(await api.Client.SubmitTaskAsync());

        // In an offset's time as well as in UTC.
        var from = new DateTimeOffset(created).ToOffset(TimeSpan.FromHours(2)).ToString("o");
        Ids(await ListAsync($"createdFrom={Uri.EscapeDataString(from)}&createdBefore={after:o}{filter}")).ShouldBe([id]);
        Ids(await ListAsync($"createdFrom={before:o}&createdBefore={created:o}{filter}")).ShouldNotContain(id);
        Ids(await ListAsync($"createdFrom={after:o}{filter}")).ShouldNotContain(id);
    }

    [Theory]
    [InlineData("tag=a%20b", "tag")]
    [InlineData("tag=%C3%A4", "tag")]
    [InlineData("createdFrom=yesterday", "createdFrom")]
    [InlineData("createdBefore=2026-13-01", "createdBefore")]
    [InlineData("createdBefore=2026-11-01&createdBefore=2026-11-02", "createdBefore")]
    public async Task A_filter_that_is_none_is_named(string query, string field)
    {
        using var response = await api.Client.GetAsync($"/heavy-tasks?{query}");

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, field);
    }

    [Theory]
    [InlineData("""{"kind":"users.statistics","tags":["fine","not fine"]}""", "tags[1]")]
    [InlineData("""{"kind":"users.statistics","Tags":[""]}""", "Tags[0]")]
    [InlineData("""{"kind":"users.statistics","tags":[null]}""", "tags[0]")]
    [InlineData("""{"kind":"users.statistics","tags":["1","2","3","4","5","6","7","8","9","10","11"]}""", "tags")]
    public async Task A_tag_that_is_none_is_named_and_nothing_is_submitted(string body, string field)
    {
        var before = await api.Database.CountAsync("heavy_tasks");

        using var response = await api.Client.SubmitAsync(body);

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, field);
        (await api.Database.CountAsync("heavy_tasks")).ShouldBe(before);
    }

    [Fact]
    public async Task A_tag_that_is_named_twice_is_there_once()
    {
        var id = await SubmitAsync(api.Client, "twice", "twice");

        var task = await api.Client.GetJsonAsync($"/heavy-tasks/{id}");
        task.GetProperty("tags").EnumerateArray().Select(t => t.GetString()).ShouldBe(["twice"]);
    }

    [Fact]
    public async Task A_task_says_who_submitted_it_and_in_which_trace()
    {
        const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        using var traces = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
        };
        ActivitySource.AddActivityListener(traces);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/heavy-tasks")
        {
            Content = new StringContent("""{"kind":"users.statistics"}""", System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("traceparent", $"00-{Trace}-00f067aa0ba902b7-01");
        using var response = await api.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var id = (await response.ShouldBeJsonAsync(HttpStatusCode.Accepted)).GetProperty("id").GetGuid();

        var task = await api.Client.GetJsonAsync($"/heavy-tasks/{id}");

        task.GetProperty("traceId").GetString().ShouldBe(Trace);
        task.GetProperty("submittedBy").GetString().ShouldNotBeNullOrEmpty();
    }

    private static Task LaterThanAsync(DateTime moment) =>
        Platform.Support.Eventually.Async(
            () => TimeProvider.System.GetUtcNow().UtcDateTime > moment.AddMilliseconds(2),
            TimeSpan.FromSeconds(10)
        );

    private Task<System.Text.Json.JsonElement> ListAsync(string query) => api.Client.GetJsonAsync($"/heavy-tasks?{query}");

    private async Task<DateTime> CreatedAsync(Guid id) => (await api.FindTaskAsync(id)).CreatedAt;

    private static Task<Guid> SubmitAsync(HttpClient client, params string[] tags) =>
        client.SubmitTaskAsync($$"""{"kind":"users.statistics","tags":[{{string.Join(',', tags.Select(tag => $"\"{tag}\""))}}]}""");

    private static IEnumerable<Guid> Ids(System.Text.Json.JsonElement page) =>
        page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetGuid());
}

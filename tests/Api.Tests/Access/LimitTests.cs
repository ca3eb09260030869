using System.Net;
using Platform.Api.Tests.HeavyTasks;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Api.Tests.Access;

/// <summary>What one client may ask of one process, and that others do not feel it.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task A_client_that_sends_too_many_requests_is_told_when_to_come_back_and_others_are_served()
    {
        await using var api = await TestApi.StartAsync(settings: ("Access:MaxRequestsPerSecond", "2"));
        using var other = await api.ClientWithAsync(HeavyTaskRole.Read);

        // At once: a slow machine would otherwise ask slowly enough.
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => api.Client.GetAsync("/users/1")));
        var refused = answers.First(answer => answer.StatusCode == HttpStatusCode.TooManyRequests);
        await refused.ShouldBeProblemAsync(HttpStatusCode.TooManyRequests);
        var wait = refused.Headers.RetryAfter!.Delta.ShouldNotBeNull();
        wait.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        using (var served = await other.GetAsync("/heavy-tasks"))
        {
            served.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        await Eventually.Async(
            async () =>
            {
                using var again = await api.Client.GetAsync("/heavy-tasks");
                return again.StatusCode == HttpStatusCode.OK;
            },
            TimeSpan.FromSeconds(10)
        );
    }

    [Theory]
    [InlineData("0")]
    [InlineData("1000000")]
    public async Task Where_the_limit_is_none_or_high_nobody_is_refused(string limit)
    {
        await using var api = await TestApi.StartAsync(settings: ("Access:MaxRequestsPerSecond", limit));
        for (var i = 0; i < 200; i++)
        {
            using var response = await api.Client.GetAsync("/users/1");
            response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task One_upload_too_many_of_one_client_is_refused_before_its_body_is_read()
    {
        await using var api = await TestApi.StartAsync(settings: ("Access:MaxTransfers", "1"));
        using var other = await api.ClientWithAsync(HeavyTaskRole.Submit);
        using var first = await BeginUploadAsync(api);
        await Eventually.Async(async () => await api.Database.CountAsync("stored_files") == 1, TimeSpan.FromSeconds(30));

        using var second = await BeginUploadAsync(api);

        var answer = await second.ReadHeadersAsync();
        answer.ShouldStartWith("HTTP/1.1 429 ");
        answer.ShouldContain("Retry-After: 2");
        using var content = new ByteArrayContent([1]);
        using var served = await other.PostAsync("/files?name=a", content);
        await served.ShouldBeJsonAsync(HttpStatusCode.Created);
    }

    [Fact]
    public async Task A_transfer_that_ended_makes_room_for_the_next()
    {
        await using var api = await TestApi.StartAsync(settings: ("Access:MaxTransfers", "1"));
        for (var i = 0; i < 3; i++)
        {
            using var content = new ByteArrayContent([1]);
            using var response = await api.Client.PostAsync("/files?name=a", content);
            await response.ShouldBeJsonAsync(HttpStatusCode.Created);
        }
    }

    [Fact]
    public async Task A_client_whose_tasks_wait_submits_more_when_some_have_begun_and_others_submit_meanwhile()
    {
        await using var api = await TestApi.StartAsync(settings: ("Access:MaxWaitingTasks", "3"));
        using var other = await api.ClientWithAsync(HeavyTaskRole.Submit);
        var waiting = new List<Guid>();
        for (var i = 0; i < 3; i++)
        {
            // One of them waits for its time, which is waiting, too.
            waiting.Add(await api.Client.SubmitTaskAsync(i == 0 ? Later() : """{"kind":"users.statistics"}"""));
        }

        using (var refused = await api.Client.SubmitAsync("""{"kind":"users.statistics"}"""))
        {
            var problem = await refused.ShouldBeProblemAsync(HttpStatusCode.TooManyRequests);
            problem.GetProperty("detail").GetString()!.ShouldContain("Access:MaxWaitingTasks");
            refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(2));
        }

        using (var first = await other.SubmitAsync("""{"kind":"users.statistics"}""", "once"))
        {
            first.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        }

        (await api.Database.CountAsync("heavy_tasks")).ShouldBe(4);
        await api.RunningAsync(waiting[1]);
        await Eventually.Async(
            async () =>
            {
                using var again = await api.Client.SubmitAsync("""{"kind":"users.statistics"}""");
                return again.StatusCode == HttpStatusCode.Accepted;
            },
            TimeSpan.FromSeconds(20),
            "there is room for one more"
        );

        // What another process accepted counts as well.
        var mine = (await api.FindTaskAsync(await other.SubmitTaskAsync())).SubmittedBy;
        await using (var db = api.Database.CreateContext())
        {
            db.Add(HeavyTask.Submit("users.statistics", "{}", 1, TimeProvider.System.GetUtcNow().UtcDateTime, submittedBy: mine));
            await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        var last = await api.Database.CountAsync("heavy_tasks");
        await Eventually.Async(
            async () =>
            {
                using var refused = await other.SubmitAsync("{}");
                using var full = await other.SubmitAsync("""{"kind":"users.statistics"}""");
                return full.StatusCode == HttpStatusCode.TooManyRequests;
            },
            TimeSpan.FromSeconds(20),
            "three of the other client's tasks wait"
        );
        (await api.Database.CountAsync("heavy_tasks")).ShouldBeLessThanOrEqualTo(last + 1);

        // A repeat asks for no further task.
        using var repeat = await other.SubmitAsync("""{"kind":"users.statistics"}""", "once");
        repeat.StatusCode.ShouldBe(HttpStatusCode.OK);

        static string Later() => $$"""{"kind":"users.statistics","dueAt":"{{TimeProvider.System.GetUtcNow().AddHours(1):o}}"}""";
    }

    [Theory]
    [InlineData("Access:MaxWaitingTasks", "1000001")]
    [InlineData("Access:MaxRequestsPerSecond", "-1")]
    [InlineData("Access:MaxTransfers", "10001")]
    public async Task A_limit_that_is_none_stops_the_start(string setting, string value)
    {
        var refused = await Should.ThrowAsync<Exception>(TestApi.StartAsync(settings: (setting, value)));

        refused.ToString().ShouldContain(setting.Split(':')[1]);
    }

    private static async Task<RawConnection> BeginUploadAsync(TestApi api)
    {
        var connection = await RawConnection.OpenAsync(api.Client.BaseAddress!);
        await connection.SendAsync("POST /files?name=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n");
        return connection;
    }
}

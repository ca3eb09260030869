using System.Net;
using System.Text.Json;

namespace Platform.Api.Tests.HeavyTasks;

public sealed class GetHeavyTaskTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Theory]
    [InlineData("/heavy-tasks/0199f2a0-0000-7000-8000-000000000001")]
    [InlineData("/heavy-tasks/1")]
    public async Task Unknown_task_is_not_found(string address)
    {
        using var response = await api.Client.GetAsync(address);

        await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Queued_task_can_be_cancelled_and_nothing_else()
    {
        var id = await api.Client.SubmitTaskAsync();

        var task = await api.Client.GetJsonAsync($"/heavy-tasks/{id}");

        task.GetProperty("status").GetString().ShouldBe("Queued");
        task.GetProperty("createdAt").GetString()!.ShouldEndWith("Z");
        Links(task).ShouldBe(["self", "cancel", "log"]);
        task.GetProperty("attempts").GetArrayLength().ShouldBe(0);
        task.GetProperty("result").ValueKind.ShouldBe(JsonValueKind.Null);
        JsonElement.DeepEquals(task.GetProperty("progress"), JsonElement.Parse("""{"done":0,"total":null,"text":null}""")).ShouldBeTrue();
    }

    [Fact]
    public async Task Every_field_of_the_contract_is_there()
    {
        var id = await api.Client.SubmitTaskAsync();

        var task = await api.Client.GetJsonAsync($"/heavy-tasks/{id}");

        task.EnumerateObject()
            .Select(p => p.Name)
            .ShouldBe([
                "id",
                "kind",
                "status",
                "attempt",
                "failures",
                "crashes",
                "maxFailures",
                "cancelRequested",
                "createdAt",
                "dueAt",
                "queuedAt",
                "startedAt",
                "finishedAt",
                "progress",
                "result",
                "error",
                "tags",
                "submittedBy",
                "traceId",
                "attempts",
                "links",
            ]);
    }

    [Fact]
    public async Task Failed_task_shows_its_attempts_and_can_be_retried()
    {
        var id = await api.Client.SubmitTaskAsync();
        await api.FailedAsync(id, "The file is no CSV.");

        var task = await api.Client.GetJsonAsync($"/heavy-tasks/{id}");

        task.GetProperty("status").GetString().ShouldBe("Failed");
        task.GetProperty("error").GetString().ShouldBe("The file is no CSV.");
        task.GetProperty("failures").GetInt32().ShouldBe(1);
        var attempt = task.GetProperty("attempts").EnumerateArray().ShouldHaveSingleItem();
        attempt.GetProperty("attempt").GetInt32().ShouldBe(1);
        attempt.GetProperty("worker").GetString().ShouldBe(TestTasks.Worker);
        attempt.GetProperty("outcome").GetString().ShouldBe("Failed");
        attempt.GetProperty("error").GetString().ShouldBe("The file is no CSV.");
        attempt.GetProperty("endedAt").ValueKind.ShouldBe(JsonValueKind.String);
        Links(task).ShouldBe(["self", "retry", "delete", "log"]);
    }

    [Fact]
    public async Task Attempts_are_shown_oldest_first()
    {
        var id = await api.Client.SubmitTaskAsync();
        for (var n = 0; n < 3; n++)
        {
            await api.FailedAsync(id);
            using var retried = await api.Client.PostAsync($"/heavy-tasks/{id}/retry", content: null);
            retried.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        }

        await api.RunningAsync(id);

        var task = await api.Client.GetJsonAsync($"/heavy-tasks/{id}");
        var attempts = task.GetProperty("attempts").EnumerateArray().ToList();
        attempts.ConvertAll(a => a.GetProperty("attempt").GetInt32()).ShouldBe([1, 2, 3, 4]);
        attempts[3].GetProperty("outcome").ValueKind.ShouldBe(JsonValueKind.Null);
        Links(task).ShouldBe(["self", "cancel", "log"]);
    }

    [Fact]
    public async Task Succeeded_task_shows_its_result_and_links_its_file()
    {
        var id = await api.SucceededWithFileAsync([1, 2, 3]);

        var task = await api.Client.GetJsonAsync($"/heavy-tasks/{id}");

        task.GetProperty("status").GetString().ShouldBe("Succeeded");
        task.GetProperty("result").GetProperty("rows").GetInt32().ShouldBe(3);
        Links(task).ShouldBe(["self", "result", "delete", "log"]);
    }

    [Fact]
    public async Task Succeeded_task_without_a_file_links_none()
    {
        var id = await api.Client.SubmitTaskAsync();
        await api.SucceededAsync(id);

        Links(await api.Client.GetJsonAsync($"/heavy-tasks/{id}")).ShouldBe(["self", "delete", "log"]);
    }

    private static IEnumerable<string> Links(JsonElement task) => task.GetProperty("links").EnumerateObject().Select(l => l.Name);
}

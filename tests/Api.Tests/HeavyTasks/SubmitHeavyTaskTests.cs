using System.Net;
using System.Text.Json;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Api.Tests.HeavyTasks;

public sealed class SubmitHeavyTaskTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task Accepted_task_is_stored_and_its_request_arrives_once_at_the_queue_of_its_kind()
    {
        using var response = await api.Client.SubmitAsync("""{"kind":"users.export","parameters":{"country":"NL"}}""");

        var body = await response.ShouldBeJsonAsync(HttpStatusCode.Accepted);
        var id = body.GetProperty("id").GetGuid();
        response.Headers.Location!.ToString().ShouldBe($"/heavy-tasks/{id}");
        JsonElement
            .DeepEquals(
                body,
                JsonSerializer.SerializeToElement(
                    new
                    {
                        id,
                        status = "Queued",
                        links = new
                        {
                            self = $"/heavy-tasks/{id}",
                            cancel = $"/heavy-tasks/{id}/cancel",
                            result = $"/heavy-tasks/{id}/result",
                        },
                    }
                )
            )
            .ShouldBeTrue(body.ToString());
        var task = await api.FindTaskAsync(id);
        task.Kind.ShouldBe("users.export");
        task.Status.ShouldBe(HeavyTaskStatus.Queued);
        task.Parameters.ShouldBe("""{"country":"NL"}""");
        task.MaxFailures.ShouldBe(5);
        task.DueAt.ShouldBeNull();
        task.QueuedAt.ShouldNotBeNull();
        task.IdempotencyKey.ShouldBeNull();
        await api.SettledAsync();
        api.RequestsFor(id).ShouldBe(1);
    }

    [Theory]
    [InlineData(
        """{ "ONEXISTING":"update", "columns":{"Name":"n","externalid":"e"},"fileId":"0199F2A0-0000-7000-8000-000000000001"}""",
        """{"fileId":"0199f2a0-0000-7000-8000-000000000001","columns":{"externalId":"e","name":"n"},"onExisting":"Update"}"""
    )]
    [InlineData(
        """{"fileId":"0199f2a0-0000-7000-8000-000000000001","columns":{"externalId":"e","name":"n","email":null},"delimiter":null}""",
        """{"fileId":"0199f2a0-0000-7000-8000-000000000001","columns":{"externalId":"e","name":"n","email":null},"delimiter":null}"""
    )]
    public async Task Parameters_are_stored_in_one_spelling_and_without_what_the_client_did_not_write(string written, string stored)
    {
        var id = await api.Client.SubmitTaskAsync($$"""{"kind":"users.import","parameters":{{written}}}""");

        (await api.FindTaskAsync(id)).Parameters.ShouldBe(stored);
    }

    [Theory]
    [InlineData("""{"kind":"users.statistics"}""")]
    [InlineData("""{"kind":"users.statistics","parameters":null}""")]
    [InlineData("""{"kind":"users.statistics","parameters":{}}""")]
    public async Task Kind_that_needs_no_parameters_can_be_submitted_without(string body)
    {
        var id = await api.Client.SubmitTaskAsync(body);

        (await api.FindTaskAsync(id)).Parameters.ShouldBe("{}");
    }

    [Fact]
    public async Task Text_beyond_the_first_plane_is_kept()
    {
        var id = await api.Client.SubmitTaskAsync("""{"kind":"users.export","parameters":{"country":"a\ud83d\ude00b😀\ufffe"}}""");

        JsonElement.Parse((await api.FindTaskAsync(id)).Parameters).GetProperty("country").GetString().ShouldBe("a😀b😀\ufffe");
    }

    [Theory]
    [InlineData("5.0", 5)]
    [InlineData("5e0", 5)]
    [InlineData("0.5E+1", 5)]
    [InlineData("100.000", 100)]
    [InlineData("1e2", 100)]
    [InlineData("700e-2", 7)]
    public async Task Whole_number_is_one_however_it_is_written(string number, int maxFailures)
    {
        var id = await api.Client.SubmitTaskAsync($$"""{"kind":"users.statistics","maxFailures":{{number}}}""");

        (await api.FindTaskAsync(id)).MaxFailures.ShouldBe(maxFailures);
    }

    [Theory]
    [InlineData("application/json;charset=\"utf-8\"")]
    [InlineData("application/json; charset=UTF-8")]
    [InlineData("Application/JSON; Charset=\"Utf-8\"")]
    [InlineData("application/json; charset=utf8; profile=x")]
    public async Task Charset_may_be_written_in_every_legal_way(string contentType)
    {
        using var content = new ByteArrayContent("\uFEFF{\"kind\":\"users.statistics\"}"u8.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", contentType).ShouldBeTrue();

        using var response = await api.Client.PostAsync("/heavy-tasks", content);

        await response.ShouldBeJsonAsync(HttpStatusCode.Accepted);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public async Task Number_of_attempts_is_what_the_client_asked_for(int maxFailures)
    {
        var id = await api.Client.SubmitTaskAsync($$"""{"kind":"users.statistics","maxFailures":{{maxFailures}}}""");

        (await api.FindTaskAsync(id)).MaxFailures.ShouldBe(maxFailures);
    }

    [Fact]
    public async Task Task_due_later_is_scheduled_and_asks_for_nobody()
    {
        var due = TimeProvider.System.GetUtcNow().AddDays(3);
        using var response = await api.Client.SubmitAsync($$"""{"kind":"users.statistics","dueAt":"{{due:O}}"}""");

        var body = await response.ShouldBeJsonAsync(HttpStatusCode.Accepted);
        body.GetProperty("status").GetString().ShouldBe("Scheduled");
        var task = await api.FindTaskAsync(body.GetProperty("id").GetGuid());
        task.Status.ShouldBe(HeavyTaskStatus.Scheduled);
        task.DueAt!.Value.ShouldBe(due.UtcDateTime, TimeSpan.FromMilliseconds(1));
        task.QueuedAt.ShouldBeNull();
        await api.SettledAsync();
        api.RequestsFor(task.Id).ShouldBe(0);
    }

    [Fact]
    public async Task Task_due_in_the_past_is_queued_at_once()
    {
        using var response = await api.Client.SubmitAsync("""{"kind":"users.statistics","dueAt":"2020-01-01T00:00:00Z"}""");

        (await response.ShouldBeJsonAsync(HttpStatusCode.Accepted)).GetProperty("status").GetString().ShouldBe("Queued");
    }

    [Fact]
    public async Task Due_time_without_offset_is_UTC_and_one_with_offset_is_converted()
    {
        var due = TimeProvider.System.GetUtcNow().AddDays(30).Date.AddHours(12);

        var plain = await api.Client.SubmitTaskAsync($$"""{"kind":"users.statistics","dueAt":"{{due:yyyy-MM-ddTHH:mm:ss}}"}""");
        var offset = await api.Client.SubmitTaskAsync(
            $$"""{"kind":"users.statistics","dueAt":"{{due.AddHours(2):yyyy-MM-ddTHH:mm:ss}}+02:00"}"""
        );

        (await api.FindTaskAsync(plain)).DueAt.ShouldBe(due);
        (await api.FindTaskAsync(offset)).DueAt.ShouldBe(due);
    }
}

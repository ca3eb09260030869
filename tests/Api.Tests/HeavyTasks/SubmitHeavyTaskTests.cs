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
        task.MaxAttempts.ShouldBe(5);
        task.DueAt.ShouldBeNull();
        task.QueuedAt.ShouldNotBeNull();
        task.IdempotencyKey.ShouldBeNull();
        await api.SettledAsync();
        api.RequestsFor(id).ShouldBe(1);
    }

    [Fact]
    public async Task Parameters_are_stored_with_their_defaults_and_one_spelling()
    {
        var id = await api.Client.SubmitTaskAsync(
            """{"kind":"users.import","parameters":{ "ONEXISTING":"update", "columns":{"Name":"n","externalid":"e"},"fileId":"0199F2A0-0000-7000-8000-000000000001"}}"""
        );

        (await api.FindTaskAsync(id)).Parameters.ShouldBe(
            """{"fileId":"0199f2a0-0000-7000-8000-000000000001","columns":{"externalId":"e","name":"n"},"onExisting":"Update","encoding":"utf-8"}"""
        );
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
    public async Task Text_that_the_database_cannot_hold_as_it_is_is_kept()
    {
        var id = await api.Client.SubmitTaskAsync("""{"kind":"users.export","parameters":{"country":"a\u0000b😀"}}""");

        JsonElement.Parse((await api.FindTaskAsync(id)).Parameters).GetProperty("country").GetString().ShouldBe("a\0b😀");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public async Task Number_of_attempts_is_what_the_client_asked_for(int maxAttempts)
    {
        var id = await api.Client.SubmitTaskAsync($$"""{"kind":"users.statistics","maxAttempts":{{maxAttempts}}}""");

        (await api.FindTaskAsync(id)).MaxAttempts.ShouldBe(maxAttempts);
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

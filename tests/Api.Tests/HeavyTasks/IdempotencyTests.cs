using System.Net;
using System.Text.Json;

namespace Platform.Api.Tests.HeavyTasks;

public sealed class IdempotencyTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private const string Body = """{"kind":"users.export","parameters":{"country":"NL"},"maxFailures":3,"dueAt":"2020-01-01T00:00:00Z"}""";

    private readonly TestApi api = fixture.Api;

    [Theory]
    [InlineData("""{"kind":"users.statistics"}""")]
    [InlineData("""{"kind":"users.export","parameters":{"country":"DE"},"maxFailures":3,"dueAt":"2020-01-01T00:00:00Z"}""")]
    [InlineData("""{"kind":"users.export","parameters":{"country":"NL"},"maxFailures":4,"dueAt":"2020-01-01T00:00:00Z"}""")]
    [InlineData("""{"kind":"users.export","parameters":{"country":"NL"},"dueAt":"2020-01-01T00:00:00Z"}""")]
    [InlineData("""{"kind":"users.export","parameters":{"country":"NL"},"maxFailures":3,"dueAt":"2020-01-01T00:00:01Z"}""")]
    [InlineData("""{"kind":"users.export","parameters":{"country":"NL"},"maxFailures":3}""")]
    public async Task Another_request_with_the_same_key_is_refused_and_writes_nothing(string other)
    {
        var key = NewKey();
        using var first = await api.Client.SubmitAsync(Body, key);
        await first.ShouldBeJsonAsync(HttpStatusCode.Accepted);
        await api.SettledAsync();
        var tasks = await api.Database.CountAsync("heavy_tasks");
        var messages = api.Messages.Count;

        using var response = await api.Client.SubmitAsync(other, key);

        await response.ShouldBeProblemAsync(HttpStatusCode.UnprocessableEntity);
        (await api.Database.CountAsync("heavy_tasks")).ShouldBe(tasks);
        await api.SettledAsync();
        api.Messages.Count.ShouldBe(messages);
    }

    [Theory]
    [InlineData(Body)]
    [InlineData(
        """{ "dueAt":"2020-01-01T02:00:00+02:00", "maxFailures":3, "parameters":{ "country":"\u004eL" }, "kind":"users.export" }"""
    )]
    public async Task Same_request_with_the_same_key_is_the_first_task_again(string again)
    {
        var key = NewKey();
        using var first = await api.Client.SubmitAsync(Body, key);
        var accepted = await first.ShouldBeJsonAsync(HttpStatusCode.Accepted);

        using var second = await api.Client.SubmitAsync(again, key);

        var repeated = await second.ShouldBeJsonAsync(HttpStatusCode.OK);
        JsonElement.DeepEquals(repeated, accepted).ShouldBeTrue();
        (await api.Database.CountAsync($"heavy_tasks WHERE idempotency_key = '{key}'")).ShouldBe(1);
        await api.SettledAsync();
        api.RequestsFor(accepted.GetProperty("id").GetGuid()).ShouldBe(1);
    }

    [Fact]
    public async Task Two_at_once_make_one_task()
    {
        for (var pair = 0; pair < 20; pair++)
        {
            var key = NewKey();

            var responses = await Task.WhenAll(api.Client.SubmitAsync(Body, key), api.Client.SubmitAsync(Body, key));

            responses.Select(r => r.StatusCode).ShouldBe([HttpStatusCode.Accepted, HttpStatusCode.OK], ignoreOrder: true);
            var bodies = await Task.WhenAll(responses.Select(r => r.ShouldBeJsonAsync(r.StatusCode)));
            JsonElement.DeepEquals(bodies[0], bodies[1]).ShouldBeTrue();
            (await api.Database.CountAsync($"heavy_tasks WHERE idempotency_key = '{key}'")).ShouldBe(1);
            await api.SettledAsync();
            api.RequestsFor(bodies[0].GetProperty("id").GetGuid()).ShouldBe(1);
            Array.ForEach(responses, r => r.Dispose());
        }
    }

    [Fact]
    public async Task Many_at_once_with_different_bodies_make_one_task_and_refuse_the_others()
    {
        var key = NewKey();

        var responses = await Task.WhenAll(
            Enumerable.Range(1, 10).Select(n => api.Client.SubmitAsync($$"""{"kind":"users.statistics","maxFailures":{{n}}}""", key))
        );

        responses.Count(r => r.StatusCode == HttpStatusCode.Accepted).ShouldBe(1);
        responses.Count(r => r.StatusCode == HttpStatusCode.UnprocessableEntity).ShouldBe(9);
        Array.ForEach(responses, r => r.Dispose());
    }

    [Fact]
    public async Task Longest_key_is_accepted()
    {
        using var response = await api.Client.SubmitAsync(Body, NewKey().PadRight(200, '~'));

        await response.ShouldBeJsonAsync(HttpStatusCode.Accepted);
    }

    private static string NewKey() => $"{Guid.NewGuid():N}";
}

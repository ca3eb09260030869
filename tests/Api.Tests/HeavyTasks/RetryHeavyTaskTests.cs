using System.Net;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Api.Tests.HeavyTasks;

public sealed class RetryHeavyTaskTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task Unknown_task_is_not_found()
    {
        using var response = await RetryAsync(Guid.NewGuid());

        await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData(HeavyTaskStatus.Queued)]
    [InlineData(HeavyTaskStatus.Running)]
    [InlineData(HeavyTaskStatus.Succeeded)]
    public async Task Task_that_did_not_fail_is_not_retried(HeavyTaskStatus status)
    {
        var id = await api.Client.SubmitTaskAsync();
        await (
            status switch
            {
                HeavyTaskStatus.Running => api.RunningAsync(id),
                HeavyTaskStatus.Succeeded => api.SucceededAsync(id),
                _ => Task.CompletedTask,
            }
        );

        using var response = await RetryAsync(id);

        await response.ShouldBeProblemAsync(HttpStatusCode.Conflict);
        (await api.FindTaskAsync(id)).Status.ShouldBe(status);
        await api.SettledAsync();
        api.RequestsFor(id).ShouldBe(1);
    }

    [Theory]
    [InlineData(HeavyTaskStatus.Failed)]
    [InlineData(HeavyTaskStatus.Cancelled)]
    public async Task Failed_or_cancelled_task_is_queued_again_with_a_new_request(HeavyTaskStatus status)
    {
        var id = await api.Client.SubmitTaskAsync();
        await (status == HeavyTaskStatus.Failed ? api.FailedAsync(id) : api.CancelledAsync(id));
        await api.SettledAsync();
        api.RequestsFor(id).ShouldBe(1);

        using var response = await RetryAsync(id);

        response.Headers.Location!.ToString().ShouldBe($"/heavy-tasks/{id}");
        var body = await response.ShouldBeJsonAsync(HttpStatusCode.Accepted);
        body.GetProperty("status").GetString().ShouldBe("Queued");
        body.GetProperty("failures").GetInt32().ShouldBe(0);
        body.GetProperty("error").GetString().ShouldBeNull();
        await api.SettledAsync();
        api.RequestsFor(id).ShouldBe(2);
        (await api.RunningAsync(id)).Attempt.ShouldBe(status == HeavyTaskStatus.Failed ? 2 : 1);
    }

    [Fact]
    public async Task Of_many_retries_at_once_one_queues_the_task()
    {
        var id = await api.Client.SubmitTaskAsync();
        await api.FailedAsync(id);

        var responses = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => RetryAsync(id)));

        responses.Count(r => r.StatusCode == HttpStatusCode.Accepted).ShouldBe(1);
        responses.Count(r => r.StatusCode == HttpStatusCode.Conflict).ShouldBe(7);
        await api.SettledAsync();
        api.RequestsFor(id).ShouldBe(2);
        Array.ForEach(responses, r => r.Dispose());
    }

    private Task<HttpResponseMessage> RetryAsync(Guid id) => api.Client.PostAsync($"/heavy-tasks/{id}/retry", content: null);
}

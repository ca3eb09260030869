using System.Net;
using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Support;

namespace Platform.Api.Tests.HeavyTasks;

public sealed class CancelHeavyTaskTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task Unknown_task_is_not_found()
    {
        using var response = await CancelAsync(Guid.NewGuid());

        await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData(HeavyTaskStatus.Succeeded)]
    [InlineData(HeavyTaskStatus.Failed)]
    [InlineData(HeavyTaskStatus.Cancelled)]
    public async Task Finished_task_is_not_cancelled(HeavyTaskStatus status)
    {
        var id = await api.Client.SubmitTaskAsync();
        await (
            status switch
            {
                HeavyTaskStatus.Succeeded => api.SucceededAsync(id),
                HeavyTaskStatus.Failed => api.FailedAsync(id),
                _ => api.CancelledAsync(id),
            }
        );
        var finishedAt = (await api.FindTaskAsync(id)).FinishedAt;

        using var response = await CancelAsync(id);

        await response.ShouldBeProblemAsync(HttpStatusCode.Conflict);
        var task = await api.FindTaskAsync(id);
        task.Status.ShouldBe(status);
        task.FinishedAt.ShouldBe(finishedAt);
        task.CancelRequested.ShouldBeFalse();
        await api.SettledAsync();
        Events(id).Count().ShouldBe(status == HeavyTaskStatus.Cancelled ? 1 : 0, "the first cancel's, if that is how it ended");
    }

    [Theory]
    [InlineData("""{"kind":"users.statistics"}""")]
    [InlineData("""{"kind":"users.statistics","dueAt":"DUE"}""")]
    public async Task Waiting_task_is_cancelled_at_once_and_never_runs(string body)
    {
        var id = await api.Client.SubmitTaskAsync(body.Replace("DUE", $"{TimeProvider.System.GetUtcNow().AddHours(1):O}"));

        using var response = await CancelAsync(id);

        var task = await response.ShouldBeJsonAsync(HttpStatusCode.OK);
        task.GetProperty("status").GetString().ShouldBe("Cancelled");
        task.GetProperty("links").TryGetProperty("cancel", out _).ShouldBeFalse();
        await using var db = api.Database.CreateContext();
        (await Dialect.Current.ClaimAsync(db, id, TestTasks.Owner, TestTasks.Worker, CancellationToken.None)).ShouldBeNull();
        await api.SettledAsync();
        Events(id).ShouldBe([new HeavyTaskCancelled(id, "users.statistics", 0)]);
    }

    [Fact]
    public async Task Running_task_is_asked_to_stop()
    {
        var id = await api.Client.SubmitTaskAsync();
        await api.RunningAsync(id);

        using var response = await CancelAsync(id);
        using var again = await CancelAsync(id);

        var task = await response.ShouldBeJsonAsync(HttpStatusCode.Accepted);
        task.GetProperty("status").GetString().ShouldBe("Running");
        task.GetProperty("cancelRequested").GetBoolean().ShouldBeTrue();
        again.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        var row = await api.FindTaskAsync(id);
        row.Status.ShouldBe(HeavyTaskStatus.Running);
        row.CancelRequested.ShouldBeTrue();
        await api.SettledAsync();
        Events(id).ShouldBeEmpty();
    }

    [Fact]
    public async Task Request_to_stop_outlives_the_worker_that_did_not_live_to_see_it()
    {
        var id = await api.Client.SubmitTaskAsync();
        var fence = await api.RunningAsync(id);
        using var first = await CancelAsync(id);
        first.StatusCode.ShouldBe(HttpStatusCode.Accepted);

        await api.ChangeAsync(async lifecycle =>
            (await lifecycle.TakeOverAsync(fence, "users.statistics", 0, "The worker died.", CancellationToken.None)).ShouldBeTrue()
        );

        (await api.FindTaskAsync(id)).Status.ShouldBe(HeavyTaskStatus.Cancelled);
        using var second = await CancelAsync(id);
        second.StatusCode.ShouldBe(HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Of_many_cancels_at_once_one_cancels()
    {
        var id = await api.Client.SubmitTaskAsync();

        var responses = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => CancelAsync(id)));

        responses.Count(r => r.StatusCode == HttpStatusCode.OK).ShouldBe(1);
        responses.Count(r => r.StatusCode == HttpStatusCode.Conflict).ShouldBe(7);
        await api.SettledAsync();
        Events(id).Count().ShouldBe(1);
        Array.ForEach(responses, r => r.Dispose());
    }

    private Task<HttpResponseMessage> CancelAsync(Guid id) => api.Client.PostAsync($"/heavy-tasks/{id}/cancel", content: null);

    private IEnumerable<HeavyTaskCancelled> Events(Guid id) => api.Messages.OfType<HeavyTaskCancelled>().Where(e => e.TaskId == id);
}

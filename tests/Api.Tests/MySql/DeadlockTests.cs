using System.Data.Common;
using System.Net;
using Platform.Api.Tests.HeavyTasks;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Api.Tests;

/// <summary>
/// A client does not notice a deadlock: what the server undid is done again, with one message. Another session locks out new messages,
/// waits until a request wants to add one, and then wants the tasks, one of which that request has locked.
/// </summary>
public sealed class DeadlockTests : IAsyncLifetime
{
    // The server ends the transaction that changed fewer rows.
    private const int ManyTasks = 100;

    private TestApi api = null!;

    public async ValueTask InitializeAsync()
    {
        api = await TestApi.StartAsync();
        await api.Database.InsertTasksAsync(
            Enumerable.Range(0, ManyTasks).Select(_ => (Guid.CreateVersion7(), "users.export", "Succeeded"))
        );
    }

    public ValueTask DisposeAsync() => api.DisposeAsync();

    [Fact]
    public async Task Deadlocked_submit_is_accepted()
    {
        using var response = await RunIntoDeadlockAsync(() => api.Client.SubmitAsync("""{"kind":"users.statistics"}"""));

        var id = (await response.ShouldBeJsonAsync(HttpStatusCode.Accepted)).GetProperty("id").GetGuid();
        await api.SettledAsync();
        (await api.FindTaskAsync(id)).Status.ShouldBe(HeavyTaskStatus.Queued);
        api.RequestsFor(id).ShouldBe(1);
    }

    [Fact]
    public async Task Deadlocked_cancel_cancels()
    {
        var id = await api.Client.SubmitTaskAsync();
        await api.SettledAsync();

        using var response = await RunIntoDeadlockAsync(() => api.Client.PostAsync($"/heavy-tasks/{id}/cancel", content: null));

        await response.ShouldBeJsonAsync(HttpStatusCode.OK);
        await api.SettledAsync();
        (await api.FindTaskAsync(id)).Status.ShouldBe(HeavyTaskStatus.Cancelled);
        api.Messages.OfType<Contracts.HeavyTaskCancelled>().Count(m => m.TaskId == id).ShouldBe(1);
    }

    [Fact]
    public async Task Deadlocked_retry_queues()
    {
        var id = await api.Client.SubmitTaskAsync();
        await api.CancelledAsync(id);
        await api.SettledAsync();

        using var response = await RunIntoDeadlockAsync(() => api.Client.PostAsync($"/heavy-tasks/{id}/retry", content: null));

        await response.ShouldBeJsonAsync(HttpStatusCode.Accepted);
        await api.SettledAsync();
        (await api.FindTaskAsync(id)).Status.ShouldBe(HeavyTaskStatus.Queued);
        api.RequestsFor(id).ShouldBe(2);
    }

    private async Task<HttpResponseMessage> RunIntoDeadlockAsync(Func<Task<HttpResponseMessage>> send)
    {
        await using var other = await api.Database.OpenAsync(pooled: false);

        // At the driver's own level, REPEATABLE READ, the session locks the gap that new messages go into.
        await using var transaction = await other.BeginTransactionAsync();
        await ExecuteAsync(transaction, "UPDATE heavy_tasks SET progress_done = 1 WHERE kind = 'users.export'");
        await ExecuteAsync(transaction, "SELECT * FROM outbox_messages FOR UPDATE");
        var response = send();
        await Eventually.Async(async () => await api.Database.LockWaitsAsync() > 0, TimeSpan.FromSeconds(30), "the request waits");

        // This fails if the server ends this transaction.
        await ExecuteAsync(transaction, "UPDATE heavy_tasks SET progress_done = 2");
        await transaction.CommitAsync();
        return await response;
    }

    private static async Task ExecuteAsync(DbTransaction transaction, string sql)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}

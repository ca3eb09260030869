using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Testing;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

public sealed class RetentionTests : WorkerTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Expired_tasks_go_with_attempts_and_result_files_and_others_stay()
    {
        var worker = await StartAsync();
        var (expired, recent) = (await FinishAsync(worker), await FinishAsync(worker));

        await ExpireAsync(expired);

        await Eventually.Async(async () => await Database.CountAsync("stored_files") == 1, Patience, "the result file is gone");
        await using var db = Database.CreateContext();
        (await db.HeavyTasks.Select(t => t.Id).ToListAsync()).ShouldBe([recent]);
        (await db.HeavyTaskAttempts.Select(a => a.TaskId).ToListAsync()).ShouldBe([recent]);
        (await db.Files.Select(f => f.TaskId).ToListAsync()).ShouldBe([recent]);
        (await db.FileChunks.CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task A_task_that_is_retried_while_it_expires_keeps_all_that_it_has()
    {
        var worker = await StartAsync();
        var id = await FinishAsync(worker);
        await using (var expiring = Database.CreateContext())
        await using (var retrying = Database.CreateContext())
        {
            // Retried between the moment it is found and the moment it is deleted: whoever retries it has its lock.
            await using var expire = await expiring.Database.BeginTransactionAsync();
            await expiring.HeavyTasks.Where(t => t.Id == id).ExecuteUpdateAsync(set => set.SetProperty(t => t.FinishedAt, LongAgo));
            await using var retry = await retrying.Database.BeginTransactionAsync();
            var locking = retrying
                .HeavyTasks.Where(t => t.Id == id)
                .ExecuteUpdateAsync(set => set.SetProperty(t => t.FinishedAt, (DateTime?)null));
            await Eventually.Async(async () => await Database.LockWaitsAsync() > 0, Patience, "the retry waits for the row");
            await expire.CommitAsync();
            await locking;
            await Eventually.Async(async () => await Database.LockWaitsAsync() > 0, Patience, "retention waits for the row");
            await retry.CommitAsync();
        }

        // A second task that expires now tells that the round is over.
        var other = await FinishAsync(worker);
        await ExpireAsync(other);
        await Eventually.Async(async () => await Database.CountAsync("stored_files") == 1, Patience, "the other one's file is gone");
        await using var after = Database.CreateContext();
        (await after.Files.Select(f => f.TaskId).SingleAsync()).ShouldBe(id);
        (await after.HeavyTaskAttempts.Select(a => a.TaskId).SingleAsync()).ShouldBe(id);
        (await after.HeavyTasks.Select(t => t.Id).SingleAsync()).ShouldBe(id);
    }

    [Fact]
    public async Task Uploads_go_that_are_old_and_that_no_waiting_task_refers_to()
    {
        var worker = await StartAsync();
        var store = worker.Services.GetRequiredService<IFileStore>();
        var (unused, used, recent) = (await UploadAsync(store), await UploadAsync(store), await UploadAsync(store));
        await using var db = Database.CreateContext();
        db.Add(
            HeavyTask.Submit(
                "test.kind",
                $$"""{"text":"{{used}}"}""",
                1,
                TimeProvider.System.GetUtcNow().UtcDateTime,
                TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(1)
            )
        );
        await db.SaveChangesAsync();

        await db.Files.Where(f => f.Id == unused || f.Id == used).ExecuteUpdateAsync(set => set.SetProperty(f => f.CreatedAt, LongAgo));

        await Eventually.Async(async () => await Database.CountAsync("stored_files") == 2, Patience, "the unused upload is gone");
        (await db.Files.Select(f => f.Id).OrderBy(id => id).ToListAsync()).ShouldBe([used, recent], ignoreOrder: true);
        (await db.FileChunks.CountAsync()).ShouldBe(2);
    }

    private static DateTime LongAgo => TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-2);

    private Task<HeavyTaskTestHarness> StartAsync()
    {
        Script.Work = async (context, _) =>
        {
            await using var file = await context.OpenResultFileAsync("result.txt", "text/plain");
            await file.WriteAsync("result"u8.ToArray());
        };
        return StartWorkerAsync(
            ("HeavyTasks:TaskRetention", "01:00:00"),
            ("HeavyTasks:UploadRetention", "01:00:00"),
            ("HeavyTasks:RetentionInterval", "00:00:01")
        );
    }

    private static async Task<Guid> FinishAsync(HeavyTaskTestHarness worker)
    {
        var task = await worker.RunAsync(new TestParameters());
        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        return task.Id;
    }

    private static async Task<Guid> UploadAsync(IFileStore store)
    {
        using var content = new MemoryStream("upload"u8.ToArray());
        return (await store.UploadAsync("upload.txt", "text/plain", content, content.Length, CancellationToken.None)).Id;
    }

    private async Task ExpireAsync(Guid id)
    {
        await using var db = Database.CreateContext();
        await db.HeavyTasks.Where(t => t.Id == id).ExecuteUpdateAsync(set => set.SetProperty(t => t.FinishedAt, LongAgo));
    }
}

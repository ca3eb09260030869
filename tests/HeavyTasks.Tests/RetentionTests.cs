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
            // The task is retried after retention found it and before retention deletes it: the retry has locked its row.
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

        // When a second task that expires now is gone, the round is over.
        var other = await FinishAsync(worker);
        await ExpireAsync(other);
        await Eventually.Async(async () => await Database.CountAsync("stored_files") == 1, Patience, "the other one's file is gone");
        await using var after = Database.CreateContext();
        (await after.Files.Select(f => f.TaskId).SingleAsync()).ShouldBe(id);
        (await after.HeavyTaskAttempts.Select(a => a.TaskId).SingleAsync()).ShouldBe(id);
        (await after.HeavyTasks.Select(t => t.Id).SingleAsync()).ShouldBe(id);
    }

    [Fact]
    public async Task Poison_messages_expire_as_tasks_do()
    {
        await using var db = Database.CreateContext();
        var (old, recent) = (Poison(LongAgo), Poison(TimeProvider.System.GetUtcNow().UtcDateTime));
        db.AddRange(old, recent);
        await db.SaveChangesAsync();

        await StartAsync();

        await Eventually.Async(async () => await Database.CountAsync("poison_messages") == 1, Patience, "the old one is gone");
        (await db.PoisonMessages.Select(m => m.Id).SingleAsync()).ShouldBe(recent.Id);

        static PoisonMessage Poison(DateTime at) =>
            new()
            {
                Queue = "heavy-tasks.test.kind",
                Error = "broken",
                CreatedAt = at,
            };
    }

    [Fact]
    public async Task The_record_of_who_did_what_has_an_end_of_its_own()
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        await using var db = Database.CreateContext();
        var (old, recent) = (Entry(now.AddHours(-2)), Entry(now.AddMinutes(-30)));
        db.AddRange(old, recent);
        await db.SaveChangesAsync();

        await StartAsync();

        await Eventually.Async(async () => await Database.CountAsync("audit_entries") == 1, Patience, "the old one is gone");
        (await db.AuditEntries.Select(e => e.Id).SingleAsync()).ShouldBe(recent.Id);

        static AuditEntry Entry(DateTime at) =>
            new()
            {
                Id = Guid.CreateVersion7(new DateTimeOffset(at)),
                CreatedAt = at,
                Action = "CancelHeavyTask",
                Outcome = "Done",
            };
    }

    [Fact]
    public async Task A_step_that_fails_does_not_keep_the_others_from_their_work()
    {
        var id = await InsertAsync();
        await using var db = Database.CreateContext();
        await db
            .HeavyTasks.Where(t => t.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(t => t.Status, HeavyTaskStatus.Cancelled).SetProperty(t => t.FinishedAt, LongAgo));
        db.Add(
            new PoisonMessage
            {
                Queue = "heavy-tasks.test.kind",
                Error = "broken",
                CreatedAt = LongAgo,
            }
        );
        await db.SaveChangesAsync();
        await StartAsync();
        await Database.ScalarAsync("DROP TABLE heavy_task_attempts");

        await Eventually.Async(async () => await Database.CountAsync("poison_messages") == 0, Patience, "the message is gone");
    }

    [Fact]
    public async Task Uploads_go_that_are_old_and_that_no_task_can_need()
    {
        var worker = await StartAsync();
        var store = worker.Services.GetRequiredService<IFileStore>();
        var names = new[] { "unused", "scheduled", "failed", "succeeded", "recent" };
        var ids = new Dictionary<string, Guid>();
        foreach (var name in names)
        {
            ids[name] = await UploadAsync(store);
        }

        await SubmitAsync(worker, ids["scheduled"]);
        await FinishAsync(await SubmitAsync(worker, ids["failed"]), HeavyTaskStatus.Failed);
        await FinishAsync(await SubmitAsync(worker, ids["succeeded"]), HeavyTaskStatus.Succeeded);
        await using var db = Database.CreateContext();
        var old = ids.Where(file => file.Key != "recent").Select(file => file.Value).ToList();

        await db.Files.Where(f => old.Contains(f.Id)).ExecuteUpdateAsync(set => set.SetProperty(f => f.CreatedAt, LongAgo));

        await Eventually.Async(async () => await Database.CountAsync("stored_files") == 3, Patience, "two uploads are gone");
        (await db.Files.Select(f => f.Id).ToListAsync()).ShouldBe([ids["scheduled"], ids["failed"], ids["recent"]], ignoreOrder: true);
        (await db.FileChunks.CountAsync()).ShouldBe(3);
        (await db.HeavyTaskFiles.CountAsync()).ShouldBe(2);
    }

    [Fact]
    public async Task An_upload_under_way_stays_and_one_whose_process_died_goes()
    {
        await using var db = Database.CreateContext();
        var (alive, dead) = (Upload(LongAgo.AddHours(3)), Upload(LongAgo));
        db.AddRange(alive, dead, Chunk(alive.Id, 0), Chunk(dead.Id, 0));
        await db.SaveChangesAsync();

        await StartAsync();

        await Eventually.Async(async () => await Database.CountAsync("stored_files") == 1, Patience, "the dead one is gone");
        (await db.FileChunks.Select(c => c.FileId).SingleAsync()).ShouldBe(alive.Id);

        static StoredFile Upload(DateTime expiresAt) =>
            new()
            {
                Id = Guid.CreateVersion7(),
                Name = "upload",
                ContentType = "text/plain",
                CreatedAt = LongAgo,
                ExpiresAt = expiresAt,
            };
    }

    [Fact]
    public async Task A_long_file_is_deleted_in_steps_and_cannot_be_read_meanwhile()
    {
        const int Chunks = (2 * FileDeletion.ChunksPerStep) + 1;
        await using var db = Database.CreateContext();
        var id = await AddExpiredAsync(db, Chunks);

        (await StepAsync(id)).ShouldBe(FileDeletionStep.More);
        (await db.FileChunks.CountAsync()).ShouldBe(Chunks - FileDeletion.ChunksPerStep);
        (await db.Files.CountAsync(f => f.ClosedAt != null)).ShouldBe(0);
        (await StepAsync(id)).ShouldBe(FileDeletionStep.More);
        (await StepAsync(id)).ShouldBe(FileDeletionStep.Deleted);

        (await db.FileChunks.CountAsync()).ShouldBe(0);
        (await db.Files.CountAsync()).ShouldBe(0);
        (await StepAsync(id)).ShouldBe(FileDeletionStep.Left);
    }

    [Fact]
    public async Task A_task_that_is_submitted_while_its_file_expires_keeps_it()
    {
        await using var db = Database.CreateContext();
        var id = await AddExpiredAsync(db, chunks: 1);
        await using (var submitting = Database.CreateContext())
        await using (var transaction = await submitting.Database.BeginTransactionAsync())
        {
            var now = TimeProvider.System.GetUtcNow().UtcDateTime;
            var task = HeavyTask.Submit("test.kind", $$"""{"files":["{{id}}"]}""", 1, now, now.AddHours(1));
            submitting.Add(task);
            submitting.KeepFiles(task, await submitting.FindNeededFilesAsync([task], CancellationToken.None));
            await submitting.SaveChangesAsync();

            (await StepAsync(id)).ShouldBe(FileDeletionStep.Left);
            await transaction.CommitAsync();
        }

        (await StepAsync(id)).ShouldBe(FileDeletionStep.Left);
        (await db.Files.AsNoTracking().SingleAsync(f => f.Id == id)).ExpiresAt.ShouldBeNull();
        (await db.FileChunks.CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task A_result_file_that_another_task_needs_stays_when_its_own_task_goes()
    {
        var worker = await StartAsync();
        var finished = await FinishAsync(worker);
        await using var db = Database.CreateContext();
        var file = await db.Files.Select(f => f.Id).SingleAsync();
        await SubmitAsync(worker, file);

        await ExpireAsync(finished);

        await Eventually.Async(
            async () => await db.Files.CountAsync(f => f.TaskId == null && f.ExpiresAt == null) == 1,
            Patience,
            "the file belongs to nobody but stays"
        );
        (await db.FileChunks.CountAsync()).ShouldBe(1);
    }

    private static HeavyTaskSubmitOptions Later => new() { DueAt = TimeProvider.System.GetUtcNow().AddHours(1) };

    private static TestParameters Parameters(Guid file) => new() { Text = $"file {file}, and more" };

    private static StoredFileChunk Chunk(Guid file, int number) =>
        new()
        {
            FileId = file,
            Number = number,
            Data = [1],
        };

    private static async Task<Guid> AddExpiredAsync(PlatformDbContext db, int chunks)
    {
        var file = new StoredFile
        {
            Id = Guid.CreateVersion7(),
            Name = "old",
            ContentType = "text/plain",
            CreatedAt = LongAgo,
            ClosedAt = LongAgo,
            ExpiresAt = LongAgo,
        };
        db.Add(file);
        db.AddRange(Enumerable.Range(0, chunks).Select(number => Chunk(file.Id, number)));
        await db.SaveChangesAsync();
        return file.Id;
    }

    private static async Task<Guid> SubmitAsync(HeavyTaskTestHarness worker, Guid file)
    {
        await using var scope = worker.Services.CreateAsyncScope();
        var id = await scope.ServiceProvider.GetRequiredService<IHeavyTasks>().SubmitAsync(Parameters(file), Later);
        await scope.ServiceProvider.GetRequiredService<PlatformDbContext>().SaveChangesAsync();
        return id;
    }

    private async Task<FileDeletionStep> StepAsync(Guid file)
    {
        await using var db = Database.CreateContext();
        return await FileDeletion.StepAsync(db, file, CancellationToken.None);
    }

    private async Task FinishAsync(Guid task, HeavyTaskStatus status)
    {
        await using var db = Database.CreateContext();
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        await db
            .HeavyTasks.Where(t => t.Id == task)
            .ExecuteUpdateAsync(set =>
                set.SetProperty(t => t.Status, status).SetProperty(t => t.DueAt, (DateTime?)null).SetProperty(t => t.FinishedAt, now)
            );
    }

    private static DateTime LongAgo => TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-2);

    private Task<HeavyTaskTestHarness> StartAsync()
    {
        Script.Work = async (context, _) =>
        {
            var file = await context.OpenResultFileAsync("result.txt", "text/plain");
            await file.WriteAsync("result"u8.ToArray());
        };
        return StartWorkerAsync(
            ("HeavyTasks:TaskRetention", "01:00:00"),
            ("HeavyTasks:UploadRetention", "01:00:00"),
            ("HeavyTasks:AuditRetention", "01:00:00"),
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
        return (await store.UploadAsync("upload.txt", "text/plain", "", content, content.Length, CancellationToken.None)).Id;
    }

    private async Task ExpireAsync(Guid id)
    {
        await using var db = Database.CreateContext();
        await db.HeavyTasks.Where(t => t.Id == id).ExecuteUpdateAsync(set => set.SetProperty(t => t.FinishedAt, LongAgo));
    }
}

using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.Persistence;

namespace Platform.HeavyTasks.Tests;

public sealed class CheckpointTests : WorkerTest
{
    private sealed record State(int Next);

    [Fact]
    public async Task The_next_attempt_goes_on_from_the_last_checkpoint()
    {
        var worker = await StartWorkerAsync();
        var startedFrom = new List<int>();
        Script.Work = async (context, _) =>
        {
            var next = context.GetCheckpoint<State>()?.Next ?? 0;
            startedFrom.Add(next);
            for (; next < 4; next++)
            {
                if (next == 2 && context.Attempt == 1)
                {
                    throw new InvalidOperationException("broken");
                }

                var number = next;
                await context.CheckpointAsync(
                    new State(next + 1),
                    (db, _) =>
                    {
                        db.Add(new User { ExternalId = $"{number}", Name = $"User {number}" });
                        return Task.CompletedTask;
                    }
                );
            }
        };

        var task = await worker.RunAsync(new TestParameters(), maxFailures: 2);

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        startedFrom.ShouldBe([0, 2]);
        await using var db = Database.CreateContext();
        (await db.Users.CountAsync(TestContext.Current.CancellationToken)).ShouldBe(4);
    }

    [Fact]
    public async Task A_checkpoint_that_fails_leaves_nothing_of_itself()
    {
        var worker = await StartWorkerAsync();
        Script.Work = async (context, _) =>
        {
            await context.CheckpointAsync(new State(1));
            await context.CheckpointAsync(
                new State(2),
                async (db, cancellationToken) =>
                {
                    db.Add(new User { ExternalId = "1", Name = "Ada" });
                    await db.SaveChangesAsync(cancellationToken);
                    throw new InvalidOperationException("broken");
                }
            );
        };

        var task = await worker.RunAsync(new TestParameters());

        task.Status.ShouldBe(HeavyTaskStatus.Failed);
        task.Checkpoint.ShouldBe("""{"next":1}""");
        await using var db = Database.CreateContext();
        db.Users.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_attempt_that_lost_its_task_can_neither_checkpoint_nor_complete()
    {
        var worker = await StartWorkerAsync(("HeavyTasks:Interval", "00:00:10"));
        Exception? refused = null;
        Script.Work = async (context, _) =>
        {
            if (context.Attempt > 1)
            {
                return;
            }

            var thief = await AddOtherWorkerAsync();
            await using (var other = Database.CreateContext())
            {
                await other.HeavyTasks.Where(t => t.Id == context.TaskId).ExecuteUpdateAsync(set => set.SetProperty(t => t.Owner, thief));
            }

            refused = await Should.ThrowAsync<HeavyTaskFenceException>(() =>
                context.CheckpointAsync(
                    new State(9),
                    (db, _) =>
                    {
                        db.Add(new User { ExternalId = "1", Name = "Ada" });
                        return Task.CompletedTask;
                    }
                )
            );
        };

        var id = await worker.SubmitAsync(new TestParameters());
        await worker.Bus.Consumed.Any<Contracts.HeavyTaskRequested>(TestContext.Current.CancellationToken);
        await worker.StopAsync();

        refused.ShouldNotBeNull();
        var task = await ReadAsync(id);
        task.Status.ShouldBe(HeavyTaskStatus.Running);
        task.Checkpoint.ShouldBeNull();
        task.Result.ShouldBeNull();
        await using var db = Database.CreateContext();
        db.Users.ShouldBeEmpty();
        db.HeavyTaskAttempts.ShouldContain(a => a.Outcome == null);
    }

    [Theory]
    [InlineData(100, 1)]
    [InlineData(StoredFile.ChunkLength, 2)]
    [InlineData(StoredFile.ChunkLength - 1, 5)]
    [InlineData(90_000, 7)]
    public async Task A_result_file_has_every_checkpointed_byte_once_whatever_attempt_wrote_it(int blockLength, int failAfter)
    {
        const int Blocks = 9;
        var worker = await StartWorkerAsync();
        Script.Work = async (context, _) =>
        {
            var file = await context.OpenResultFileAsync("result.txt", "text/plain");
            for (var block = context.GetCheckpoint<State>()?.Next ?? 0; block < Blocks; block++)
            {
                await file.WriteAsync(Block(block, blockLength), context.CancellationToken);
                if (block == failAfter && context.Attempt == 1)
                {
                    // This was written, perhaps to a chunk of its own, but after the last checkpoint, so it must not count.
                    await file.WriteAsync(Encoding.ASCII.GetBytes(new string('x', StoredFile.ChunkLength)), context.CancellationToken);
                    throw new InvalidOperationException("broken");
                }

                await context.CheckpointAsync(new State(block + 1));
            }
        };

        var task = await worker.RunAsync(new TestParameters(), maxFailures: 2);

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        task.Attempt.ShouldBe(2);
        var expected = Enumerable.Range(0, Blocks).SelectMany(b => Block(b, blockLength)).ToArray();
        var store = worker.Services.GetRequiredService<IFileStore>();
        var stored = (await store.FindAsync(task.ResultFileId!.Value, "", TestContext.Current.CancellationToken))!;
        stored.Length.ShouldBe(expected.Length);
        stored.Sha256.ShouldBe(System.Security.Cryptography.SHA256.HashData(expected));
        using var content = new MemoryStream();
        await store.OpenRead(stored).CopyToAsync(content, TestContext.Current.CancellationToken);
        content.ToArray().AsSpan().SequenceEqual(expected).ShouldBeTrue();
    }

    [Fact]
    public async Task A_result_file_is_not_visible_before_the_task_succeeded()
    {
        var worker = await StartWorkerAsync();
        Script.Work = async (context, _) =>
        {
            await (await context.OpenResultFileAsync("result.txt", "text/plain")).WriteAsync("half"u8.ToArray(), context.CancellationToken);
            await context.CheckpointAsync(new State(1));
            throw new InvalidOperationException("broken");
        };

        var task = await worker.RunAsync(new TestParameters());

        task.ResultFileId.ShouldBeNull();
        await using var db = Database.CreateContext();
        var file = await db.Files.SingleAsync(TestContext.Current.CancellationToken);
        (
            await worker.Services.GetRequiredService<IFileStore>().FindAsync(file.Id, "", TestContext.Current.CancellationToken)
        ).ShouldBeNull();
    }

    private static byte[] Block(int number, int length) => Encoding.ASCII.GetBytes(new string((char)('a' + number), length));
}

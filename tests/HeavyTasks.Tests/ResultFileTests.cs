using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks.Tests;

/// <summary>A result file is complete, however it was written and whoever died in between.</summary>
public sealed class ResultFileTests : WorkerTest
{
    private const int Lines = 32;
    private const int LinesPerCheckpoint = 3;

    [Theory]
    [InlineData(1, 10)]
    [InlineData(5, 10)]
    [InlineData(10, 10)]
    [InlineData(4, 90_000)]
    public async Task Text_that_nobody_flushed_survives_the_death_of_the_worker(int killAfterCheckpoint, int length)
    {
        var worker = await StartWorkerAsync();
        Script.Work = async (context, _) =>
        {
            var file = await context.OpenResultFileAsync("lines.txt", "text/plain");
            for (var line = context.GetCheckpoint<State>()?.Next ?? 0; line < Lines; line++)
            {
                if (line % 2 == 0)
                {
                    await file.Text.WriteLineAsync(Line(line, length));
                }
                else
                {
                    file.Text.WriteLine(Line(line, length));
                }

                if ((line + 1) % LinesPerCheckpoint == 0)
                {
                    await context.CheckpointAsync(new State(line + 1));
                }
            }
        };

        var task = await worker.RunAsync(new TestParameters(), killAfterCheckpoint: killAfterCheckpoint);

        (task.Status, task.Attempt, task.Crashes).ShouldBe((HeavyTaskStatus.Succeeded, 2, 1));
        var expected = string.Concat(Enumerable.Range(0, Lines).Select(line => Line(line, length) + Environment.NewLine));
        (await ReadAsync(worker, task)).ShouldBe(expected);
    }

    [Fact]
    public async Task Bytes_follow_the_text_that_was_written_before_them()
    {
        var worker = await StartWorkerAsync();
        Script.Work = async (context, _) =>
        {
            var file = await context.OpenResultFileAsync("mixed.txt", "text/plain");
            await file.Text.WriteAsync("one ");
            await file.WriteAsync("two "u8.ToArray(), context.CancellationToken);
            await file.Text.WriteAsync("three 😀");
        };

        (await ReadAsync(worker, await worker.RunAsync(new TestParameters()))).ShouldBe("one two three 😀");
    }

    [Fact]
    public async Task A_stream_refuses_a_checkpoint_until_it_is_disposed()
    {
        var worker = await StartWorkerAsync();
        Exception? refused = null;
        Script.Work = async (context, _) =>
        {
            await using (var stream = await context.OpenResultStreamAsync("lines.txt", "text/plain"))
            await using (var writer = new StreamWriter(stream))
            {
                await writer.WriteAsync("content");
                refused = await Should.ThrowAsync<InvalidOperationException>(() => context.CheckpointAsync(new State(1)));
            }

            await context.CheckpointAsync(new State(2));
        };

        var task = await worker.RunAsync(new TestParameters());

        refused!.Message.ShouldContain("OpenResultStreamAsync");
        (await ReadAsync(worker, task)).ShouldBe("content");
    }

    [Fact]
    public async Task A_task_does_not_succeed_while_its_stream_is_not_disposed()
    {
        var worker = await StartWorkerAsync();
        Script.Work = async (context, _) =>
        {
            var writer = new StreamWriter(await context.OpenResultStreamAsync("lines.txt", "text/plain"));
            await writer.WriteAsync("kept in the writer");
        };

        var task = await worker.RunAsync(new TestParameters());

        task.Status.ShouldBe(HeavyTaskStatus.Failed);
        task.Error!.ShouldContain("Dispose the writer and the stream");
    }

    [Fact]
    public async Task A_stream_begins_anew_in_every_attempt()
    {
        var worker = await StartWorkerAsync();
        Script.Work = async (context, _) =>
        {
            await using (var stream = await context.OpenResultStreamAsync("lines.txt", "text/plain"))
            {
                var length = context.Attempt == 1 ? StoredFile.ChunkLength + 10 : StoredFile.ChunkLength;
                await stream.WriteAsync(Encoding.ASCII.GetBytes(new string((char)('0' + context.Attempt), length)));
            }

            await context.CheckpointAsync(new State(context.Attempt));
        };

        var task = await worker.RunAsync(new TestParameters(), killAfterCheckpoint: 1);

        task.Attempt.ShouldBe(2);
        (await ReadAsync(worker, task)).ShouldBe(new string('2', StoredFile.ChunkLength));
    }

    [Fact]
    public async Task Writing_inside_a_checkpoint_is_refused_and_not_waited_for()
    {
        var worker = await StartWorkerAsync();
        Script.Work = async (context, _) =>
        {
            var file = await context.OpenResultFileAsync("lines.txt", "text/plain");
            await context.CheckpointAsync(
                new State(1),
                (_, cancellationToken) => file.WriteAsync(new byte[StoredFile.ChunkLength], cancellationToken)
            );
        };

        var task = await worker.RunAsync(new TestParameters());

        task.Status.ShouldBe(HeavyTaskStatus.Failed);
        task.Error!.ShouldContain("before CheckpointAsync");
    }

    [Fact]
    public async Task A_test_that_kills_after_a_checkpoint_that_never_comes_fails()
    {
        var worker = await StartWorkerAsync();
        Script.Work = (context, _) => context.CheckpointAsync(new State(1));

        var failed = await Should.ThrowAsync<InvalidOperationException>(() =>
            worker.RunAsync(new TestParameters(), killAfterCheckpoint: 2)
        );

        failed.Message.ShouldContain("before checkpoint 2");
    }

    private static string Line(int number, int length) => $"{number} {new string((char)('a' + (number % 26)), length)}";

    private static async Task<string> ReadAsync(Testing.HeavyTaskTestHarness worker, HeavyTask task)
    {
        var store = worker.Services.GetRequiredService<IFileStore>();
        var stored = (await store.FindAsync(task.ResultFileId!.Value, "", TestContext.Current.CancellationToken))!;
        using var content = new MemoryStream();
        await store.OpenRead(stored).CopyToAsync(content, TestContext.Current.CancellationToken);
        stored.Sha256.ShouldBe(System.Security.Cryptography.SHA256.HashData(content.ToArray()));
        return Encoding.UTF8.GetString(content.ToArray());
    }

    private sealed record State(int Next);
}

using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>What a handler logs for people is there while it runs, and afterwards, whatever became of the attempt.</summary>
public sealed class LogLineTests : WorkerTest
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Lines_appear_while_the_handler_runs_and_outside_its_transactions()
    {
        var worker = await StartWorkerAsync();
        var release = new TaskCompletionSource();
        Script.Work = async (context, _) =>
        {
            context.Log("begun");
            context.Log("slow", LogLevel.Warning);
            await context.CheckpointAsync(
                new TestParameters(),
                async (_, _) =>
                {
                    context.Log("in a checkpoint");
                    await release.Task;
                }
            );
        };
        var id = await worker.SubmitAsync(new TestParameters());

        await Eventually.Async(async () => (await LinesAsync(id)).Count == 3, Patience, "the task's row is locked meanwhile");
        var lines = await LinesAsync(id);
        lines
            .Select(line => (line.Attempt, line.Number, line.Level, line.Text))
            .ShouldBe([
                (1, 1, LogLevel.Information, "begun"),
                (1, 2, LogLevel.Warning, "slow"),
                (1, 3, LogLevel.Information, "in a checkpoint"),
            ]);
        lines[0].At.ShouldBe(TimeProvider.System.GetUtcNow().UtcDateTime, TimeSpan.FromMinutes(1));
        release.SetResult();
        await worker.FinishedAsync(id);
    }

    [Fact]
    public async Task Lines_of_an_attempt_that_failed_stay_and_the_next_one_counts_anew()
    {
        var worker = await StartWorkerAsync();
        Script.Work = (context, _) =>
        {
            context.Log($"attempt {context.Attempt}");
            return context.Attempt == 1 ? throw new InvalidOperationException("broken") : Task.CompletedTask;
        };

        var task = await worker.RunAsync(new TestParameters(), maxFailures: 2);

        await Eventually.Async(async () => (await LinesAsync(task.Id)).Count == 2, Patience, "both are there");
        (await LinesAsync(task.Id))
            .Select(line => (line.Attempt, line.Number, line.Text))
            .ShouldBe([(1, 1, "attempt 1"), (2, 1, "attempt 2")]);
    }

    [Fact]
    public async Task Of_a_flood_the_last_thousand_lines_stay()
    {
        var worker = await StartWorkerAsync();
        Script.Work = async (context, _) =>
        {
            for (var i = 1; i <= 2_500; i++)
            {
                context.Log($"line {i}");
                if (i == 900)
                {
                    await Eventually.Async(async () => (await LinesAsync(context.TaskId)).Count == 900, Patience, "the first are written");
                }
            }
        };
        var id = (await worker.RunAsync(new TestParameters())).Id;

        await Eventually.Async(
            async () => (await LinesAsync(id)) is { Count: 1_000 } lines && lines[0].Number == 1_501 && lines[^1].Text == "line 2500",
            Patience,
            "earlier ones are deleted"
        );
    }

    [Fact]
    public async Task Of_many_attempts_the_last_five_keep_their_lines()
    {
        var worker = await StartWorkerAsync();
        Script.Work = (context, _) =>
        {
            context.Log("tried");
            return context.Attempt < 8 ? throw new InvalidOperationException("broken") : Task.CompletedTask;
        };

        var task = await worker.RunAsync(new TestParameters(), maxFailures: 10);

        await Eventually.Async(
            async () => (await LinesAsync(task.Id)).Select(line => line.Attempt).SequenceEqual([4, 5, 6, 7, 8]),
            Patience,
            "earlier ones are deleted"
        );
    }

    [Fact]
    public void Lines_that_nobody_takes_have_an_end()
    {
        var attempts = new RunningAttempts();
        for (var number = 1; number <= 50; number++)
        {
            var claimed = new ClaimedHeavyTask
            {
                Id = Guid.CreateVersion7(),
                Kind = "test.kind",
                Attempt = number,
            };
            var attempt = attempts.Add(new HeavyTaskFence(claimed.Id, number, Guid.Empty), claimed, 0);
            for (var line = 0; line < 2_000; line++)
            {
                attempt.Lines.Add(DateTime.UnixEpoch, LogLevel.Information, "line");
            }

            attempts.Remove(attempt);
            attempt.Dispose();
        }

        var kept = attempts.TakeLines().SelectMany(lines => lines.Take()).ToList();
        kept.Count.ShouldBe(RunningAttempts.MaxEndedLines);
        kept[^1].Attempt.ShouldBe(50);
        attempts.TakeLines().ShouldBeEmpty();
    }

    [Fact]
    public async Task Lines_wait_while_they_cannot_be_written_and_none_comes_twice()
    {
        var worker = await StartWorkerAsync();
        await Database.ScalarAsync("ALTER TABLE heavy_task_log_lines RENAME TO missing_for_a_while");
        Script.Work = (context, _) =>
        {
            context.Log("kept");
            return Task.CompletedTask;
        };
        var id = (await worker.RunAsync(new TestParameters())).Id;
        await Eventually.Async(() => Log.Of("LogWriter", LogLevel.Warning).Any(), Patience, "they could not be written");

        await Database.ScalarAsync("ALTER TABLE missing_for_a_while RENAME TO heavy_task_log_lines");

        await Eventually.Async(async () => (await LinesAsync(id)).Count == 1, Patience, "now they are");
    }

    [Fact]
    public async Task Lines_that_no_database_would_store_are_stored_and_long_ones_cut()
    {
        var worker = await StartWorkerAsync();
        Script.Work = (context, _) =>
        {
            context.Log($"a\0b{new string('x', 2_000)}");
            return Task.CompletedTask;
        };
        var id = (await worker.RunAsync(new TestParameters())).Id;

        await Eventually.Async(async () => (await LinesAsync(id)).Count == 1, Patience, "it is there");
        var text = (await LinesAsync(id))[0].Text;
        text.ShouldStartWith("a?bxx");
        text.Length.ShouldBe(HeavyTaskLogLine.MaxTextLength);
    }

    [Fact]
    public async Task A_worker_that_stops_writes_what_handlers_logged_last()
    {
        var worker = await StartWorkerAsync(("HeavyTasks:DrainTimeout", "00:00:00"));
        var started = new TaskCompletionSource();
        Script.Work = async (context, _) =>
        {
            started.SetResult();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.CancellationToken);
            }
            finally
            {
                context.Log("told to stop");
            }
        };
        var id = await worker.SubmitAsync(new TestParameters());
        await started.Task.WaitAsync(Patience, TestContext.Current.CancellationToken);

        await worker.StopAsync();

        (await LinesAsync(id)).ShouldHaveSingleItem().Text.ShouldBe("told to stop");
    }

    [Fact]
    public async Task Old_lines_go_even_if_their_task_was_deleted_before_they_were_written()
    {
        await using var db = Database.CreateContext();
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        db.AddRange(Line(now.AddDays(-40), 1), Line(now, 2));
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);

        await StartWorkerAsync(("HeavyTasks:RetentionInterval", "00:00:01"));

        await Eventually.Async(async () => await Database.CountAsync("heavy_task_log_lines") == 1, Patience, "the old one is gone");
        (await db.HeavyTaskLogLines.Select(line => line.Number).SingleAsync(TestContext.Current.CancellationToken)).ShouldBe(2);

        static HeavyTaskLogLine Line(DateTime at, int number) =>
            new()
            {
                TaskId = Guid.Empty,
                Attempt = 1,
                Number = number,
                At = at,
                Text = "of a task that is gone",
            };
    }

    private async Task<List<HeavyTaskLogLine>> LinesAsync(Guid id)
    {
        await using var db = Database.CreateContext();
        return await db
            .HeavyTaskLogLines.AsNoTracking()
            .Where(line => line.TaskId == id)
            .OrderBy(line => line.Attempt)
            .ThenBy(line => line.Number)
            .ToListAsync();
    }
}

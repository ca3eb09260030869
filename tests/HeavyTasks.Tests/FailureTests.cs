using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Platform.Contracts;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

public sealed class FailureTests : WorkerTest
{
    [Fact]
    public async Task A_failed_attempt_is_tried_again_until_it_succeeds()
    {
        var worker = await StartWorkerAsync();
        Script.Work = (context, _) =>
            context.Attempt < 3 ? throw new InvalidOperationException($"attempt {context.Attempt}") : Task.CompletedTask;

        var task = await worker.RunAsync(new TestParameters(), maxFailures: 5);

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        task.Attempt.ShouldBe(3);
        task.Failures.ShouldBe(2);
        var attempts = await AttemptsAsync(task.Id);
        attempts.Select(a => a.Outcome).ShouldBe([AttemptOutcome.Failed, AttemptOutcome.Failed, AttemptOutcome.Succeeded]);
        attempts[0].Error.ShouldBe("InvalidOperationException: attempt 1");
        attempts.ShouldAllBe(a => a.EndedAt >= a.StartedAt && a.Worker.Length > 0);
    }

    // During a rollout an API that is newer than the worker accepts members that only the newer worker knows.
    [Fact]
    public async Task A_member_that_this_version_does_not_know_fails_no_task()
    {
        var worker = await StartWorkerAsync();
        var read = "";
        Script.Work = (context, _) =>
        {
            read = context.Parameters.Text;
            return Task.CompletedTask;
        };
        var soon = TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(1);

        var id = await InsertAsync(dueAt: soon, parameters: """{"added":{"later":[1]},"text":"known"}""");

        await Eventually.Async(async () => (await ReadAsync(id)).Status == HeavyTaskStatus.Succeeded, TimeSpan.FromSeconds(30));
        read.ShouldBe("known");
    }

    // The text contains half a character, which cannot be encoded, and a character that the length limit would cut in two.
    [Fact]
    public async Task An_error_whose_text_cannot_be_stored_as_it_is_ends_the_attempt_all_the_same()
    {
        var worker = await StartWorkerAsync();
        Script.Work = (context, _) =>
        {
            context.ReportProgress(1, 2, new string('x', HeavyTask.MaxProgressTextLength - 1) + "\U0001F98A");
            throw new NonRetryableException("\ud83d\0" + new string('x', HeavyTask.MaxErrorLength - 3) + "\U0001F98A");
        };

        var task = await worker.RunAsync(new TestParameters());

        task.Status.ShouldBe(HeavyTaskStatus.Failed);
        task.Error.ShouldBe("\ufffd?" + new string('x', HeavyTask.MaxErrorLength - 3));
    }

    [Theory]
    [InlineData("result")]
    [InlineData("state")]
    [InlineData("state after a write")]
    public async Task A_result_or_state_that_is_too_long_for_a_row_fails_with_what_to_do_instead(string what)
    {
        var worker = await StartWorkerAsync();
        var tooLong = Enumerable.Repeat(new string('x', 1_000), HeavyTask.MaxResultLength / 1_000).ToArray();
        Script.Work = async (context, _) =>
        {
            switch (what)
            {
                case "result":
                    context.SetResult(tooLong);
                    break;
                case "state":
                    await context.CheckpointAsync(tooLong);
                    break;
                default:
                    await context.CheckpointAsync(async (db, _) => await AddAsync(db, tooLong));
                    break;
            }
        };

        var task = await worker.RunAsync(new TestParameters(), maxFailures: 5);

        (task.Status, task.Attempt).ShouldBe((HeavyTaskStatus.Failed, 1));
        task.Error!.ShouldContain("is longer than 1024 KiB as JSON.");
        task.Error!.ShouldContain("result file");
        (await Database.CountAsync("users")).ShouldBe(0);
    }

    [Fact]
    public async Task A_result_as_long_as_allowed_is_kept()
    {
        var worker = await StartWorkerAsync();
        var longest = new TestParameters(new string('ü', (HeavyTask.MaxResultLength - 11) / 6));
        Script.Work = (context, _) =>
        {
            context.SetResult(longest);
            return Task.CompletedTask;
        };

        var task = await worker.RunAsync(new TestParameters());

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        System.Text.Json.JsonSerializer.Deserialize<TestParameters>(task.Result!, HeavyTaskJson.Options)!.Text.ShouldBe(longest.Text);
    }

    [Fact]
    public async Task A_task_that_fails_every_time_is_given_up_after_maxFailures()
    {
        var worker = await StartWorkerAsync();
        Script.Work = (_, _) => throw new InvalidOperationException("broken");

        var task = await worker.RunAsync(new TestParameters(), maxFailures: 3);

        task.Status.ShouldBe(HeavyTaskStatus.Failed);
        task.Failures.ShouldBe(3);
        Script.Runs.ShouldBe(3);
        task.FinishedAt.ShouldNotBeNull();
    }

    [Fact]
    public async Task What_a_client_sent_is_logged_in_short_and_without_where_it_was_thrown()
    {
        var worker = await StartWorkerAsync();
        Script.Work = (_, _) => throw new NonRetryableException($"no column '\u001b[2J\0{new string('x', 900_000)}'");
        await worker.RunAsync(new TestParameters());
        Script.Work = (_, _) => throw new InvalidOperationException($"\u001b{new string('y', 900_000)}");
        await worker.RunAsync(new TestParameters(), maxFailures: 1);

        // The line follows the commit that ends the task.
        List<string> errors = [];
        await Eventually.Async(
            () =>
            {
                errors = Log.Of("HeavyTaskOutcomes", LogLevel.Warning).Select(entry => $"{entry.Values["Error"]}").ToList();
                return errors.Count == 2;
            },
            TimeSpan.FromSeconds(30)
        );
        errors.ShouldAllBe(error => error.Length < 4_000 && !error.Contains('\u001b') && !error.Contains('\0'));
        errors[0].ShouldStartWith("no column '\\u001b[2J\\u0000xxx");
        errors[0].ShouldNotContain("   at ");
        errors[1].ShouldContain("   at ");
    }

    [Fact]
    public async Task A_NonRetryable_failure_is_final_at_once()
    {
        var worker = await StartWorkerAsync();
        Script.Work = (_, _) => throw new NonRetryableException("there is no such file");

        var task = await worker.RunAsync(new TestParameters(), maxFailures: 5);

        task.Status.ShouldBe(HeavyTaskStatus.Failed);
        task.Error.ShouldBe("there is no such file");
        Script.Runs.ShouldBe(1);
    }

    [Fact]
    public async Task An_attempt_past_RunTimeout_is_stopped_and_counts_as_a_failure()
    {
        var worker = await StartWorkerAsync(("HeavyTasks:Kinds:test.kind:RunTimeout", "00:00:01"));
        Script.Work = (context, _) => Task.Delay(TimeSpan.FromMinutes(5), TimeProvider.System, context.CancellationToken);

        var task = await worker.RunAsync(new TestParameters());

        task.Status.ShouldBe(HeavyTaskStatus.Failed);
        task.Error!.ShouldContain("RunTimeout of 00:00:01");
        (await AttemptsAsync(task.Id)).Single().Outcome.ShouldBe(AttemptOutcome.TimedOut);
    }

    [Fact]
    public async Task A_handler_that_ignores_its_token_loses_the_task_and_can_no_longer_complete_it()
    {
        var worker = await StartWorkerAsync(("HeavyTasks:Kinds:test.kind:RunTimeout", "00:00:01"), ("HeavyTasks:StopGrace", "00:00:01"));
        var release = new TaskCompletionSource();
        Script.Work = async (_, db) =>
        {
            await release.Task;
            db.Users.Add(new User { ExternalId = "late", Name = "Too late" });
        };

        var task = await worker.RunAsync(new TestParameters());
        task.Status.ShouldBe(HeavyTaskStatus.Failed);

        release.SetResult();
        await worker.StopAsync();

        (await ReadAsync(task.Id)).Status.ShouldBe(HeavyTaskStatus.Failed);
        await using var db = Database.CreateContext();
        db.Users.ShouldBeEmpty();
    }

    [Fact]
    public void Backoff_doubles_to_its_bound_and_draws_from_all_of_it()
    {
        var random = new Random(7);
        var kind = new HeavyTaskKindOptions { RetryDelay = TimeSpan.FromSeconds(1), MaxRetryDelay = TimeSpan.FromSeconds(60) };
        TimeSpan[] Draw(int failures) =>
            [
                .. Enumerable
                    .Range(0, 1000)
                    .Select(_ => RetryPolicy.DelayAfter(new TimeoutException(), failures, int.MaxValue, kind, random)!.Value),
            ];

        Draw(1).Max().ShouldBeInRange(TimeSpan.FromSeconds(0.95), TimeSpan.FromSeconds(1));
        Draw(4).Max().ShouldBeInRange(TimeSpan.FromSeconds(7.6), TimeSpan.FromSeconds(8));
        Draw(50).Max().ShouldBeInRange(TimeSpan.FromSeconds(57), TimeSpan.FromSeconds(60));
        Draw(4).Min().ShouldBeLessThan(TimeSpan.FromSeconds(0.5));
    }

    private static async Task<string[]> AddAsync(DbContext db, string[] state)
    {
        db.Add(new User { ExternalId = "1", Name = "Ada" });
        await db.SaveChangesAsync();
        return state;
    }
}

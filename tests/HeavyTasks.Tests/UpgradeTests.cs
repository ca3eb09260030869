using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Platform.HeavyTasks.Tests;

/// <summary>What the services of version 0.1.0 left in the database must go on under this version.</summary>
public sealed class UpgradeTests : WorkerTest
{
    private const string LastMigrationOf010 = "LighterTaskIndexes";

    private const string Columns =
        "id, kind, status, parameters, attempt, failures, crashes, max_attempts, cancel_requested, created_at, progress_done";

    private static readonly Guid Queued = new("019a9f00-0000-7000-8000-000000000001");
    private static readonly Guid Scheduled = new("019a9f00-0000-7000-8000-000000000002");
    private static readonly Guid Running = new("019a9f00-0000-7000-8000-000000000003");
    private static readonly Guid Failed = new("019a9f00-0000-7000-8000-000000000004");
    private static readonly Guid Succeeded = new("019a9f00-0000-7000-8000-000000000005");
    private static readonly Guid Cancelled = new("019a9f00-0000-7000-8000-000000000006");
    private static readonly Guid Upload = new("019a9f00-0000-7000-8000-00000000000a");
    private static readonly Guid DeadOwner = new("019a9f00-0000-7000-8000-00000000000b");

    [Fact]
    public async Task Tasks_of_version_0_1_0_go_on_where_they_were()
    {
        await LeaveRowsOf010Async();
        await using (var db = Database.CreateContext())
        {
            await db.Database.MigrateAsync(TestContext.Current.CancellationToken);
        }

        State? resumed = null;
        Script.Work = (context, _) =>
        {
            resumed = context.TaskId == Running ? context.GetCheckpoint<State>() : resumed;
            return Task.CompletedTask;
        };
        var worker = await StartWorkerAsync(("HeavyTasks:VanishedAfter", "00:00:01"));

        (await worker.FinishedAsync(Queued)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
        (await worker.FinishedAsync(Scheduled)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
        var running = await worker.FinishedAsync(Running);
        (running.Status, running.Attempt, running.Crashes).ShouldBe((HeavyTaskStatus.Succeeded, 2, 1));
        resumed.ShouldBe(new State(3));
        (await AttemptsAsync(Running)).Select(a => a.Outcome).ShouldBe([AttemptOutcome.Crashed, AttemptOutcome.Succeeded]);

        var failed = await ReadAsync(Failed);
        (failed.Status, failed.Failures, failed.MaxFailures).ShouldBe((HeavyTaskStatus.Failed, 5, 5));
        (await ReadAsync(Succeeded)).Result.ShouldBe("""{"rows":7}""");
        (await ReadAsync(Cancelled)).Status.ShouldBe(HeavyTaskStatus.Cancelled);
        (await ChangeAsync(worker, lifecycle => lifecycle.RetryAsync(Failed, CancellationToken.None))).ShouldBeTrue();
        (await worker.FinishedAsync(Failed)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
        await using var after = Database.CreateContext();
        (await after.HeavyTaskFiles.SingleAsync(TestContext.Current.CancellationToken)).ShouldSatisfyAllConditions(
            file => file.FileId.ShouldBe(Upload),
            file => file.TaskId.ShouldBe(Queued)
        );
    }

    private async Task LeaveRowsOf010Async()
    {
        await Database.EmptyAsync();
        await using var db = Database.CreateContext();
        await db.GetService<IMigrator>().MigrateAsync(LastMigrationOf010, TestContext.Current.CancellationToken);
        const string At = "'2026-11-21 09:00:00'";
        await Database.ScalarAsync(
            $$"""
            INSERT INTO stored_files (id, name, content_type, length, created_at, closed_at)
            VALUES ({{Id(Upload)}}, 'users.csv', 'text/csv', 3, {{At}}, {{At}});
            INSERT INTO stored_file_chunks (file_id, number, data) VALUES ({{Id(Upload)}}, 0, 'a,b');
            INSERT INTO heavy_tasks ({{Columns}}, queued_at)
            VALUES ({{Id(Queued)}}, 'test.kind', 'Queued', '{"text":"{{Upload}}"}', 0, 0, 0, 5, false, {{At}}, 0, {{At}});
            INSERT INTO heavy_tasks ({{Columns}}, due_at, error)
            VALUES ({{Id(Scheduled)}}, 'test.kind', 'Scheduled', '{}', 1, 1, 0, 5, false, {{At}}, 0, {{At}}, 'It failed once.');
            INSERT INTO heavy_task_attempts (task_id, attempt, owner, worker, started_at, ended_at, outcome)
            VALUES ({{Id(Scheduled)}}, 1, {{Id(DeadOwner)}}, 'host:1', {{At}}, {{At}}, 'Failed');
            INSERT INTO heavy_tasks ({{Columns}}, queued_at, started_at, owner, checkpoint)
            VALUES ({{Id(Running)}}, 'test.kind', 'Running', '{}', 1, 0, 0, 5, false, {{At}}, 3, {{At}}, {{At}}, {{Id(
                DeadOwner
            )}}, '{"next":3}');
            INSERT INTO heavy_task_attempts (task_id, attempt, owner, worker, started_at)
            VALUES ({{Id(Running)}}, 1, {{Id(DeadOwner)}}, 'host:1', {{At}});
            INSERT INTO heavy_tasks ({{Columns}}, finished_at, error)
            VALUES ({{Id(Failed)}}, 'test.kind', 'Failed', '{}', 5, 5, 0, 5, false, {{At}}, 0, {{At}}, 'It failed five times.');
            INSERT INTO heavy_tasks ({{Columns}}, finished_at, result)
            VALUES ({{Id(Succeeded)}}, 'test.kind', 'Succeeded', '{}', 1, 0, 0, 5, false, {{At}}, 7, {{At}}, '{"rows":7}');
            INSERT INTO heavy_tasks ({{Columns}}, finished_at)
            VALUES ({{Id(Cancelled)}}, 'test.kind', 'Cancelled', '{}', 0, 0, 0, 5, false, {{At}}, 0, {{At}});
            """
        );
    }

    private static string Id(Guid id) => Dialect.Current.HasSchemas ? $"'{id}'" : $"x'{id:N}'";

    private sealed record State(int Next);
}

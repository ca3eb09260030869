using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Platform.Cli.Tests.Support;
using Platform.HeavyTasks;

namespace Platform.Cli.Tests;

/// <summary>The commands of operators against the real API: what it refuses, and that both mean the same by each member.</summary>
public sealed class RealApiTests(RealApi api) : IClassFixture<RealApi>
{
    [Theory]
    [InlineData("There is no task", "show", Tasks.Id)]
    [InlineData("There is no task", "log", Tasks.Id)]
    [InlineData("There is no task", "delete", Tasks.Id)]
    [InlineData("There is no such worker.", "workers", "drain", Tasks.Id)]
    [InlineData("There is no such worker.", "workers", "resume", Tasks.Id)]
    [InlineData("No worker has announced such a kind.", "kinds", "slots", "nobody.knows", "2")]
    [InlineData("No worker has announced such a kind.", "kinds", "slots", "nobody.knows", "default")]
    [InlineData("No worker has announced such a kind.", "kinds", "pause", "nobody.knows")]
    [InlineData("tags[1]: ", "submit", "users.statistics", "--tag", "a", "--tag", "two words")]
    [InlineData("tag: ", "list", "--tag", "two words")]
    [InlineData("slots: ", "kinds", "slots", "nobody.knows", "1001")]
    public async Task What_is_not_there_or_none_is_refused_and_named(string said, params string[] command)
    {
        var run = await api.RunAsync(command);

        run.ExitCode.ShouldBe(3, run.Error);
        run.ErrorLines[0].ShouldStartWith("error: The API refused (4");
        run.ErrorLines[1].ShouldStartWith($"  {said}");
        run.OutputBytes.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_key_that_may_only_read_changes_nothing()
    {
        var reader = (await api.RunAsync("keys", "create", "reader", "--role", "read")).Output.Trim();
        var id = await SubmitAsync();
        await api.RunAsync("cancel", id);
        var worker = await AddWorkerAsync();
        foreach (
            var command in new string[][]
            {
                ["delete", id],
                ["kinds", "slots", "users.statistics", "1"],
                ["kinds", "purge", "users.statistics", "--yes"],
                ["workers", "drain", worker],
                ["workers", "resume", worker],
            }
        )
        {
            var run = await api.RunWithAsync(reader, command);

            run.ExitCode.ShouldBe(3, run.Error);
            run.ErrorLines[0].ShouldStartWith("error: The API refused (403");
            run.OutputBytes.ShouldBeEmpty();
        }

        (await api.RunWithAsync(reader, "show", id)).ExitCode.ShouldBe(0);
        (await api.RunWithAsync(reader, "workers")).Output.ShouldContain(worker);
    }

    [Fact]
    public async Task A_task_is_found_by_its_tag_and_its_time_and_deleted_when_it_has_ended()
    {
        var tag = $"order:{Guid.NewGuid():N}#+1";
        string[] ids = [await SubmitAsync(tag), await SubmitAsync(tag), await SubmitAsync("other")];

        var found = await api.RunAsync("list", "--all", "--tag", tag, "--created-from", "2026-01-01", "--json");
        var earlier = await api.RunAsync("list", "--all", "--tag", tag, "--created-before", "2026-01-01T00:00:00.5+01:00", "--json");
        Ids(found).ShouldBe([ids[1], ids[0]], ignoreOrder: true);
        Ids(earlier).ShouldBeEmpty();

        var shown = (await api.RunAsync("show", ids[0])).Output;
        shown.ShouldContain($"tags      {tag}, zebra\n");
        shown.ShouldContain("submitter 0123456789abcdef\n");
        shown.ShouldContain("can       cancel\n");

        (await api.RunAsync("delete", ids[0])).Error.ShouldContain("Cancel it first.");
        await api.RunAsync("cancel", ids[0]);
        (await api.RunAsync("show", ids[0])).Output.ShouldContain("can       retry, delete\n");
        (await api.RunAsync("delete", ids[0])).Output.ShouldBe("Deleted.\n");
        (await api.RunAsync("show", ids[0])).ExitCode.ShouldBe(3);
        Ids(await api.RunAsync("list", "--all", "--tag", tag, "--json")).ShouldBe([ids[1]]);
    }

    [Fact]
    public async Task What_a_handler_logged_is_shown()
    {
        var id = await SubmitAsync();
        (await api.RunAsync("log", id)).Error.ShouldStartWith("There are no lines");
        await using (var db = api.Database.CreateContext())
        {
            db.AddRange(
                Line(1, 1, LogLevel.Information, "Reading."),
                Line(1, 2, LogLevel.Warning, "Odd."),
                Line(2, 1, LogLevel.Error, "No.")
            );
            await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        var run = await api.RunAsync("log", id, "--limit", "2");

        run.Output.ShouldBe(
            """
            attempt 1
            2026-01-02 03:04:05Z  Warning: Odd.
            attempt 2
            2026-01-02 03:04:05Z  Error: No.

            """
        );
        run.Error.ShouldBe("There are earlier lines: use a larger --limit, up to 1000.\n");

        HeavyTaskLogLine Line(int attempt, int number, LogLevel level, string text) =>
            new()
            {
                TaskId = Guid.Parse(id),
                Attempt = attempt,
                Number = number,
                At = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc),
                Level = level,
                Text = text,
            };
    }

    [Fact]
    public async Task Slots_that_are_set_are_listed_until_they_are_taken_back()
    {
        await AnnounceAsync("users.statistics");

        (await api.RunAsync("kinds", "slots", "users.statistics", "2")).ExitCode.ShouldBe(0);
        (await api.RunAsync("kinds")).Output.ShouldContain("users.statistics (each worker runs at most 2 at once)\n");
        (await api.RunAsync("kinds", "slots", "users.statistics", "default")).ExitCode.ShouldBe(0);
        (await api.RunAsync("kinds")).Output.ShouldContain("users.statistics\n");
    }

    [Fact]
    public async Task A_purge_cancels_what_waits_of_a_kind_and_doctor_counts_it_before()
    {
        await AnnounceAsync("users.export");
        string[] ids = [await SubmitAsync(kind: "users.export"), await SubmitAsync(kind: "users.export")];
        (await api.RunAsync("kinds", "pause", "users.export")).ExitCode.ShouldBe(0);
        (await api.RunAsync("doctor")).Output.ShouldContain(
            ", 2 tasks queued. To let workers begin them: platform kinds resume users.export\n"
        );

        var purged = await api.RunAsync("kinds", "purge", "users.export", "--yes");
        var again = await api.RunAsync("kinds", "purge", "users.export", "--yes", "--json");

        (purged.ExitCode, purged.Output, purged.Error).ShouldBe((0, "2 tasks cancelled.\n", ""));
        again.Output.ShouldBe("{\"kind\":\"users.export\",\"cancelled\":0}\n");
        foreach (var id in ids)
        {
            (await api.RunAsync("show", id)).Output.ShouldContain("status    Cancelled\n");
        }

        (await api.RunAsync("kinds", "resume", "users.export")).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_worker_drains_until_it_is_resumed_and_doctor_mentions_it()
    {
        var worker = await AddWorkerAsync();

        (await api.RunAsync("workers")).Output.ShouldContain($"{worker}  test-worker  vm:42  1.2.3");
        (await api.RunAsync("workers", "drain", worker)).Output.ShouldStartWith($"{worker} drains since 2");
        (await api.RunAsync("doctor")).Output.ShouldContain($"To let it begin tasks again: platform workers resume {worker}\n");
        (await api.RunAsync("workers", "resume", worker)).Output.ShouldBe($"{worker} does not drain.\n");
        (await api.RunAsync("doctor")).Output.ShouldNotContain(worker);
    }

    private static IEnumerable<string?> Ids(CliRun run) =>
        run.Json.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetString());

    private async Task<string> SubmitAsync(string tag = "a", string kind = "users.statistics")
    {
        var run = await api.RunAsync("submit", kind, "--tag", "zebra", "--tag", tag);
        run.ExitCode.ShouldBe(0, run.Error);
        return run.Output.Trim();
    }

    private async Task AnnounceAsync(string kind)
    {
        await using var db = api.Database.CreateContext();
        db.Add(
            new AnnouncedKind
            {
                Name = kind,
                ParametersSchema = "{}",
                Service = "test",
                AnnouncedAt = TimeProvider.System.GetUtcNow().UtcDateTime,
            }
        );
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Adds a row as a worker does; it counts as living for an hour.</summary>
    private async Task<string> AddWorkerAsync()
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var worker = new Instance
        {
            Id = Guid.CreateVersion7(),
            Service = "test-worker",
            Host = "vm:42",
            Version = "1.2.3",
            StartedAt = now,
            SeenAt = now,
            LeaseUntil = now.AddHours(1),
            Slots = 2,
        };
        await using var db = api.Database.CreateContext();
        db.Add(worker);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return worker.Id.ToString();
    }
}

using System.Text.Json;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

/// <summary><c>log</c> shows what the handler of a task logged.</summary>
public sealed class TaskLogTests
{
    [Fact]
    public async Task The_log_of_an_unknown_task_is_refused()
    {
        await using var api = await StandInApi.StartAsync("""{"title":"Not Found","detail":"There is no task."}""", 404);

        var run = await CliRun.RunAsync(api, "log", Tasks.Id);

        run.ExitCode.ShouldBe(3);
        run.Error.ShouldContain("There is no task.");
        run.OutputBytes.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"lines":null}""")]
    [InlineData("""{"lines":[null]}""")]
    [InlineData("""{"lines":[{"text":null}]}""")]
    public async Task An_answer_without_lines_is_not_the_apis(string answer) =>
        await Unusable.ShouldBeRefusedAsync(answer, "log", Tasks.Id);

    [Theory]
    [InlineData("0")]
    [InlineData("1001")]
    [InlineData("many")]
    public async Task A_limit_that_the_api_does_not_have_is_refused_before_it_is_asked(string limit)
    {
        await using var api = await StandInApi.StartAsync("{}");

        var run = await CliRun.RunAsync(api, "log", Tasks.Id, "--limit", limit);

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldEndWith("See: platform log --help\n");
        api.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Lines_have_their_time_the_attempt_where_it_changes_and_the_level_unless_it_is_the_usual_one()
    {
        await using var api = await StandInApi.StartAsync(
            """
            {"lines":[
              {"attempt":1,"at":"2026-01-02T03:04:05.6Z","level":"Information","text":"Reading."},
              {"attempt":1,"at":"2026-01-02T03:04:06Z","level":"Warning","text":"3 rows [red]\u001b[2J\nrejected."},
              {"attempt":2,"at":"2026-01-02T03:05:00Z","level":"Information","text":"Reading again."}],"hasEarlier":true}
            """
        );

        var run = await CliRun.RunAsync(api, "log", Tasks.Id, "--limit", "3", "--attempt", "2");

        run.ExitCode.ShouldBe(0);
        api.Requests.ShouldBe([$"GET /heavy-tasks/{Tasks.Id}/log?limit=3&attempt=2"]);
        run.Output.ShouldBe(
            """
            attempt 1
            2026-01-02 03:04:05Z  Reading.
            2026-01-02 03:04:06Z  Warning: 3 rows [red][2J rejected.
            attempt 2
            2026-01-02 03:05:00Z  Reading again.

            """
        );
        run.Error.ShouldBe("There are earlier lines: use a larger --limit, up to 1000.\n");
    }

    [Theory]
    [InlineData("""{"lines":[],"hasEarlier":false}""", "There are no lines: the handler logged none, or the key may not see them.\n")]
    [InlineData(
        """{"lines":[{"text":"x"}],"hasEarlier":true}""",
        "There are earlier lines: of one attempt all that are kept are shown with --attempt.\n"
    )]
    [InlineData("""{"lines":[{"text":"x"}],"hasEarlier":false}""", "")]
    public async Task What_is_not_shown_is_said_beside_the_lines(string answer, string said)
    {
        await using var api = await StandInApi.StartAsync(answer);

        var run = await CliRun.RunAsync(api, "log", Tasks.Id, "--limit", "1000");

        (run.ExitCode, run.Error).ShouldBe((0, said));
    }

    [Fact]
    public async Task Fifty_lines_are_asked_for_unless_told_otherwise_and_json_is_the_apis()
    {
        const string Body = """{"lines":[{"attempt":1,"extra":1.50,"text":"x"}],"hasEarlier":true}""";
        await using var api = await StandInApi.StartAsync(Body);

        var run = await CliRun.RunAsync(api, "log", Tasks.Id, "--json");

        (run.ExitCode, run.Error).ShouldBe((0, ""));
        api.Requests.ShouldBe([$"GET /heavy-tasks/{Tasks.Id}/log?limit=50"]);
        JsonElement.DeepEquals(run.Json, JsonElement.Parse(Body)).ShouldBeTrue(run.Output);
    }
}

using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

/// <summary><c>kinds pause</c> and <c>kinds resume</c>.</summary>
public sealed class PauseKindTests
{
    [Theory]
    [InlineData("pause", "\"2026-01-02T03:04:05.6Z\"", "users.import is paused since 2026-01-02 03:04:05Z.\n")]
    [InlineData("resume", "null", "users.import is not paused.\n")]
    public async Task A_kind_is_paused_and_resumed(string verb, string pausedAt, string said)
    {
        await using var api = await StandInApi.StartAsync($$"""{"kind":"users.import","pausedAt":{{pausedAt}}}""");

        var run = await CliRun.RunAsync(api, "kinds", verb, "users.import");

        (run.ExitCode, run.Output, run.Error).ShouldBe((0, said, ""));
        api.Requests.ShouldBe([$"POST /heavy-tasks/kinds/users.import/{verb}"]);
    }

    [Theory]
    [InlineData("pause")]
    [InlineData("resume")]
    public async Task A_kind_that_nobody_announced_is_refused_by_the_api(string verb)
    {
        await using var api = await StandInApi.StartAsync("""{"title":"Not Found","detail":"No worker has announced such a kind."}""", 404);

        var run = await CliRun.RunAsync(api, "kinds", verb, "users.imprt");

        run.ExitCode.ShouldBe(3);
        run.OutputBytes.ShouldBeEmpty();
        run.ErrorLines.ShouldBe(["error: The API refused (404 Not Found).", "  No worker has announced such a kind."]);
    }

    [Fact]
    public async Task The_list_says_which_is_paused()
    {
        await using var api = await StandInApi.StartAsync(
            """[{"kind":"a","description":"one","pausedAt":"2026-01-02T03:04:05Z","parameters":{}},{"kind":"b","description":"two","pausedAt":null,"parameters":{}}]"""
        );

        var run = await CliRun.RunAsync(api, "kinds");

        run.Output.ShouldBe("a (paused since 2026-01-02 03:04:05Z)\n  one\nb\n  two\n");
    }
}

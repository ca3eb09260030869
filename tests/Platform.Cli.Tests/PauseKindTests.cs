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

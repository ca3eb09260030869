using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

/// <summary>The filters of <c>list</c>.</summary>
public sealed class ListFilterTests
{
    [Theory]
    [InlineData("--created-from", "tomorrow")]
    [InlineData("--created-before", "03/04/2027")]
    [InlineData("--created-before", "")]
    public async Task A_time_that_is_none_is_refused_with_an_example_before_the_api_is_asked(string option, string time)
    {
        await using var api = await StandInApi.StartAsync("{}");

        var run = await CliRun.RunAsync(api, "list", option, time);

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldStartWith($"{option} '{time}' is not a time in ISO 8601, such as 2030-01-31T22:00:00Z");
        api.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("--tag")]
    [InlineData("--kind")]
    [InlineData("--status")]
    public async Task An_empty_filter_does_not_list_everything(string option)
    {
        await using var api = await StandInApi.StartAsync("""{"items":[],"next":null}""");

        var run = await CliRun.RunAsync(api, "list", option, "");

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldStartWith($"{option} is empty.");
        api.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_tag_that_is_none_is_refused_by_the_api()
    {
        await using var api = await StandInApi.StartAsync("""{"title":"Bad","errors":{"tag":["1 to 64 letters are expected."]}}""", 400);

        var run = await CliRun.RunAsync(api, "list", "--tag", "two words", "--json");

        run.ExitCode.ShouldBe(3);
        run.OutputBytes.ShouldBeEmpty();
        run.ErrorLines.ShouldBe(["error: The API refused (400 Bad).", "  tag: 1 to 64 letters are expected."]);
    }

    [Fact]
    public async Task Every_page_is_asked_for_with_all_filters()
    {
        await using var api = await StandInApi.StartAsync(context =>
            StandInApi.AnswerAsync(
                context,
                $$"""{"items":[{{Tasks.Waiting()}}],"next":{{(context.Request.Query["cursor"].ToString() is "" ? "\"c\"" : "null")}}}"""
            )
        );

        var run = await CliRun.RunAsync(
            api,
            [
                "list",
                "--all",
                "--tag",
                "order:42#+a",
                "--status",
                "Queued",
                "--kind",
                "users.import",
                "--created-from",
                "2026-01-02",
                "--created-before",
                "2026-01-03T01:00:00.5+01:00",
            ]
        );

        run.ExitCode.ShouldBe(0);
        const string Filters =
            "&status=Queued&kind=users.import&tag=order%3A42%23%2Ba"
            + "&createdFrom=2026-01-02T00%3A00%3A00Z&createdBefore=2026-01-03T00%3A00%3A00.5Z";
        api.Requests.ShouldBe([$"GET /heavy-tasks?limit=200{Filters}", $"GET /heavy-tasks?limit=200{Filters}&cursor=c"]);
    }
}

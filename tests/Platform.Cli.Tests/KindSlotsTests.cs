using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

/// <summary><c>kinds slots</c>.</summary>
public sealed class KindSlotsTests
{
    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("2.5")]
    [InlineData("many")]
    [InlineData("null")]
    public async Task What_is_neither_a_number_nor_the_default_is_refused(string slots)
    {
        await using var api = await StandInApi.StartAsync("{}");

        var run = await CliRun.RunAsync(api, "kinds", "slots", "users.import", slots);

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldEndWith("See: platform kinds slots --help\n");
        api.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("slots", "..", "2")]
    [InlineData("pause", ".")]
    [InlineData("purge", "", "--yes")]
    public async Task A_name_that_would_change_the_address_is_refused(params string[] command)
    {
        await using var api = await StandInApi.StartAsync("{}");

        var run = await CliRun.RunAsync(api, ["kinds", .. command]);

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldStartWith($"'{command[1]}' is not the name of a kind.");
        api.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("slots", "users.imprt", "2")]
    [InlineData("purge", "users.imprt", "--yes")]
    public async Task A_kind_that_nobody_announced_is_refused_by_the_api(params string[] command)
    {
        await using var api = await StandInApi.StartAsync("""{"title":"Not Found","detail":"No worker has announced such a kind."}""", 404);

        var run = await CliRun.RunAsync(api, ["kinds", .. command]);

        run.ExitCode.ShouldBe(3);
        run.OutputBytes.ShouldBeEmpty();
        run.ErrorLines.ShouldBe(["error: The API refused (404 Not Found).", "  No worker has announced such a kind."]);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"kind":null,"slots":2}""")]
    public async Task An_answer_without_a_kind_is_not_the_apis(string answer) =>
        await Unusable.ShouldBeRefusedAsync(answer, "kinds", "slots", "users.import", "2");

    [Theory]
    [InlineData("2", "2", "users.import: each worker runs at most 2 at once, and no more than it is configured with.\n")]
    [InlineData("default", "null", "users.import: each worker runs as many tasks at once as it is configured with.\n")]
    public async Task Slots_are_set_and_taken_back(string given, string sent, string said)
    {
        var (body, contentType) = ("", "");
        await using var api = await StandInApi.StartAsync(async context =>
        {
            contentType = context.Request.ContentType;
            body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            await StandInApi.AnswerAsync(context, $$"""{"kind":"users.import","slots":{{sent}}}""");
        });

        var run = await CliRun.RunAsync(api, "kinds", "slots", "users.import", given);

        (run.ExitCode, run.Output, run.Error).ShouldBe((0, said, ""));
        api.Requests.ShouldBe(["PUT /heavy-tasks/kinds/users.import/slots"]);
        (body, contentType).ShouldBe(($$"""{"slots":{{sent}}}""", "application/json"));
    }

    [Fact]
    public async Task Json_is_the_apis()
    {
        await using var api = await StandInApi.StartAsync("""{"kind":"users.import","slots":2,"extra":1}""");

        var run = await CliRun.RunAsync(api, "kinds", "slots", "users.import", "2", "--json");

        run.Json.GetProperty("extra").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task The_list_says_which_slots_are_set()
    {
        await using var api = await StandInApi.StartAsync(
            """
            [{"kind":"a","description":"one","pausedAt":"2026-01-02T03:04:05Z","slots":1,"parameters":{}},
             {"kind":"b","description":"two","pausedAt":null,"slots":3,"parameters":{}},{"kind":"c","description":"three","slots":null}]
            """
        );

        var run = await CliRun.RunAsync(api, "kinds");

        run.Output.ShouldBe(
            """
            a (paused since 2026-01-02 03:04:05Z; each worker runs at most 1 at once)
              one
            b (each worker runs at most 3 at once)
              two
            c
              three

            """
        );
    }
}

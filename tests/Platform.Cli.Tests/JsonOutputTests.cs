using System.Text.Json;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

public sealed class JsonOutputTests
{
    public static TheoryData<string[]> Commands =>
        new(
            ["show", Tasks.Id],
            ["follow", Tasks.Id],
            ["submit", "users.export"],
            ["submit", "users.export", "--follow"],
            ["cancel", Tasks.Id],
            ["retry", Tasks.Id]
        );

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Standard_output_is_the_apis_json_and_nothing_else(string[] args)
    {
        // Members this version does not know, big numbers and odd strings must survive.
        const string Body = $$"""
            {"id":"{{Tasks.Id}}","status":"Succeeded","newInLaterVersion":[1.50,12345678901234567890],"error":"ä \u001b[31m \"quoted\" [red]"}
            """;
        await using var api = await StandInApi.StartAsync(Body);

        var run = await CliRun.RunAsync(api, [.. args, "--json"]);

        run.ExitCode.ShouldBe(0);
        JsonElement.DeepEquals(run.Json, JsonElement.Parse(Body)).ShouldBeTrue(run.Output);
        run.Output.ShouldContain("1.50");
        run.Output.ShouldNotContain("\u001b");
        run.Output.TrimEnd('\n').ShouldNotContain("\n");
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Standard_output_stays_empty_when_the_api_refuses(string[] args)
    {
        await using var api = await StandInApi.StartAsync("""{"title":"No"}""", 409);

        var run = await CliRun.RunAsync(api, [.. args, "--json"]);

        run.ExitCode.ShouldBe(3);
        run.OutputBytes.ShouldBeEmpty();
        run.Error.ShouldContain("No");
    }

    [Fact]
    public async Task Progress_of_following_goes_to_standard_error()
    {
        var answers = new Queue<string>([Tasks.Waiting(), Tasks.Running(5, 10, "half"), Tasks.Failed("It broke.")]);
        await using var api = await StandInApi.StartAsync(context => StandInApi.AnswerAsync(context, answers.Dequeue()));

        var run = await CliRun.RunAsync(api, "follow", Tasks.Id, "--json");

        run.ExitCode.ShouldBe(1);
        run.Json.GetProperty("status").GetString().ShouldBe("Failed");
        run.Error.ShouldContain("50 %");
    }

    [Fact]
    public async Task All_pages_of_a_list_are_one_document()
    {
        await using var api = await StandInApi.StartAsync(context =>
            StandInApi.AnswerAsync(
                context,
                context.Request.Query["cursor"].ToString() switch
                {
                    "" => """{"items":[{"id":"00000000-0000-0000-0000-000000000001","extra":1}],"next":"a+b/c"}""",
                    "a+b/c" => """{"items":[{"id":"00000000-0000-0000-0000-000000000002"}],"next":null}""",
                    var other => throw new InvalidOperationException($"Unknown cursor {other}."),
                }
            )
        );

        var run = await CliRun.RunAsync(api, "list", "--all", "--json");

        run.ExitCode.ShouldBe(0);
        run.Json.GetProperty("items").GetArrayLength().ShouldBe(2);
        run.Json.GetProperty("items")[0].GetProperty("extra").GetInt32().ShouldBe(1);
        run.Json.GetProperty("next").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Items_are_found_whatever_their_case()
    {
        await using var api = await StandInApi.StartAsync("""{"Items":[{"id":"00000000-0000-0000-0000-000000000001"}],"Next":null}""");

        var run = await CliRun.RunAsync(api, "list", "--json");

        run.Json.GetProperty("items").GetArrayLength().ShouldBe(1);
    }

    [Theory]
    [InlineData("kinds", "purge", "users.import", "--yes")]
    [InlineData("kinds", "slots", "users.import", "1")]
    [InlineData("workers")]
    [InlineData("workers", "drain", Tasks.Id)]
    [InlineData("delete", Tasks.Id)]
    [InlineData("log", Tasks.Id)]
    public async Task Standard_output_of_what_operators_do_stays_empty_when_the_api_refuses(params string[] args)
    {
        await using var api = await StandInApi.StartAsync("""{"title":"No"}""", 403);

        var run = await CliRun.RunAsync(api, [.. args, "--json"]);

        run.ExitCode.ShouldBe(3);
        run.OutputBytes.ShouldBeEmpty();
        run.Error.ShouldContain("No");
    }

    [Fact]
    public async Task Kinds_are_the_apis_array()
    {
        await using var api = await StandInApi.StartAsync(
            """[{"kind":"users.export","description":"Exports.","parameters":{"type":"object"}}]"""
        );

        var run = await CliRun.RunAsync(api, "kinds", "--json");

        run.Json[0].GetProperty("parameters").GetProperty("type").GetString().ShouldBe("object");
    }
}

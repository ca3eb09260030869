using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

public sealed class SubmitTests
{
    [Fact]
    public async Task Submission_is_sent_as_written_and_its_id_printed()
    {
        JsonElement body = default;
        var (key, contentType) = ("", "");
        await using var api = await StandInApi.StartAsync(async context =>
        {
            body = await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body);
            (key, contentType) = (context.Request.Headers["Idempotency-Key"].ToString(), context.Request.ContentType);
            await StandInApi.AnswerAsync(context, Tasks.Waiting(), 202);
        });

        var run = await CliRun.RunAsync(
            api,
            "submit",
            "users.import",
            "--parameters",
            """{"fileId":"x","precise":1.2300}""",
            "--due-at",
            "2030-01-31T22:00:00",
            "--max-failures",
            "5",
            "--idempotency-key",
            "import-2030-01"
        );

        run.ExitCode.ShouldBe(0);
        run.Output.ShouldBe($"{Tasks.Id}\n");
        api.Requests.ShouldBe(["POST /heavy-tasks"]);
        key.ShouldBe("import-2030-01");
        contentType.ShouldBe("application/json");
        body.GetRawText()
            .ShouldBe(
                """{"kind":"users.import","parameters":{"fileId":"x","precise":1.2300},"dueAt":"2030-01-31T22:00:00+00:00","maxFailures":5}"""
            );
    }

    [Fact]
    public async Task Tag_that_is_none_is_named_by_the_api()
    {
        await using var api = await StandInApi.StartAsync(
            """{"title":"Bad","errors":{"tags[1]":["1 to 64 letters are expected."]}}""",
            400
        );

        var run = await CliRun.RunAsync(api, "submit", "users.export", "--tag", "a", "--tag", "two words");

        run.ExitCode.ShouldBe(3);
        run.OutputBytes.ShouldBeEmpty();
        run.ErrorLines.ShouldBe(["error: The API refused (400 Bad).", "  tags[1]: 1 to 64 letters are expected."]);
    }

    [Fact]
    public async Task Tags_are_sent_as_given()
    {
        var body = "";
        await using var api = await StandInApi.StartAsync(async context =>
        {
            body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            await StandInApi.AnswerAsync(context, Tasks.Waiting(), 202);
        });

        var run = await CliRun.RunAsync(api, "submit", "users.export", "--tag", "order:42", "--tag", "@night");

        run.ExitCode.ShouldBe(0);
        body.ShouldBe("""{"kind":"users.export","parameters":{},"tags":["order:42","@night"]}""");
    }

    [Fact]
    public async Task What_was_not_said_is_not_sent()
    {
        var body = "";
        await using var api = await StandInApi.StartAsync(async context =>
        {
            body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            await StandInApi.AnswerAsync(context, Tasks.Waiting(), 202);
        });

        await CliRun.RunAsync(api, "submit", "users.statistics");

        body.ShouldBe("""{"kind":"users.statistics","parameters":{}}""");
    }

    [Theory]
    [InlineData("2030-01-31", "2030-01-31T00:00:00+00:00")]
    [InlineData("2030-01-31T22:00", "2030-01-31T22:00:00+00:00")]
    [InlineData("2030-01-31T22:00:05.5Z", "2030-01-31T22:00:05.5+00:00")]
    [InlineData("2030-01-31T22:00:00-05:30", "2030-02-01T03:30:00+00:00")]
    [InlineData("2030-01-31T22:00:00+0100", "2030-01-31T21:00:00+00:00")]
    [InlineData("2030-01-31T22:00:00+01", "2030-01-31T21:00:00+00:00")]
    public async Task Time_is_ISO_8601_and_UTC_unless_it_has_an_offset(string given, string sent)
    {
        JsonElement body = default;
        await using var api = await StandInApi.StartAsync(async context =>
        {
            body = await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body);
            await StandInApi.AnswerAsync(context, Tasks.Waiting(), 202);
        });

        var run = await CliRun.RunAsync(api, "submit", "users.statistics", "--due-at", given);

        run.ExitCode.ShouldBe(0, run.Error);
        body.GetProperty("dueAt").GetString().ShouldBe(sent);
    }

    [Theory]
    [InlineData("03/04/2027")]
    [InlineData("04.03.2027")]
    [InlineData("2027/03/04")]
    [InlineData("March 4, 2027")]
    [InlineData("4 Mar 2027 10:00")]
    [InlineData("10:00")]
    [InlineData("27-03-04")]
    [InlineData("2027-03-04 10:00 PM")]
    [InlineData("2027-02-30")]
    [InlineData("20270304")]
    [InlineData("1803974400")]
    public async Task Time_that_people_read_in_two_ways_is_refused_with_an_example(string given)
    {
        await using var api = await StandInApi.StartAsync(Tasks.Waiting(), 202);

        var run = await CliRun.RunAsync(api, "submit", "users.statistics", "--due-at", given);

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldContain($"'{given}'");
        run.Error.ShouldContain("ISO 8601");
        run.Error.ShouldContain("2030-01-31T22:00:00Z");
        api.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("@-")]
    [InlineData("@file")]
    public async Task Parameters_come_from_a_file_or_standard_input(string source)
    {
        var body = "";
        await using var api = await StandInApi.StartAsync(async context =>
        {
            body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            await StandInApi.AnswerAsync(context, Tasks.Waiting(), 202);
        });
        using var folder = new TemporaryFolder();
        var file = folder.Write("parameters.json", """{"country":"DE"}""");

        var run = await CliRun.RunAsync(
            api,
            new Surroundings { Input = """{"country":"DE"}""" },
            "submit",
            "users.export",
            "--parameters",
            source is "@-" ? source : $"@{file}"
        );

        run.ExitCode.ShouldBe(0);
        body.ShouldContain("""{"country":"DE"}""");
    }

    [Fact]
    public async Task Every_wrong_parameter_is_a_line()
    {
        await using var api = await StandInApi.StartAsync(
            """
            {"type":"about:blank","title":"One or more validation errors occurred.","status":400,"detail":"See errors.",
             "errors":{"parameters.columns.name":["Required."],"parameters.delimiter":["Too long.","Not a character."]}}
            """,
            400
        );

        var run = await CliRun.RunAsync(api, "submit", "users.import");

        run.ExitCode.ShouldBe(3);
        run.OutputBytes.ShouldBeEmpty();
        run.ErrorLines.ShouldBe([
            "error: The API refused (400 One or more validation errors occurred.).",
            "  See errors.",
            "  parameters.columns.name: Required.",
            "  parameters.delimiter: Too long.",
            "  parameters.delimiter: Not a character.",
        ]);
    }

    [Fact]
    public async Task Follow_goes_on_to_the_end_even_when_the_api_restarts_right_after_accepting()
    {
        var isFirstPoll = true;
        await using var api = await StandInApi.StartAsync(async context =>
        {
            if (HttpMethods.IsPost(context.Request.Method))
            {
                await StandInApi.AnswerAsync(context, Tasks.Waiting(), 202);
            }
            else if (isFirstPoll)
            {
                isFirstPoll = false;
                context.Abort();
            }
            else
            {
                await StandInApi.AnswerAsync(context, Tasks.Succeeded());
            }
        });

        var run = await CliRun.RunAsync(api, "submit", "users.import", "--follow");

        run.ExitCode.ShouldBe(0);
        run.Output.ShouldStartWith($"{Tasks.Id}\nSucceeded after 12.3 s.\n");
        run.Output.ShouldContain("imported  199,998");
    }
}

using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

public sealed class DisplayTests
{
    /// <summary>Markup, a title change, a screen clear, a C1 sequence, a bell and a text reversal.</summary>
    private const string Hostile = "[red]x[/] [/] [bold \u001b]0;owned\u0007 \u001b[2J \u009b31m \u202egnp.exe\r\n\tend";

    private const string HostileAsText = "[red]x[/] [/] [bold ]0;owned [2J 31m gnp.exe  end";

    [Fact]
    public async Task Show_prints_details_and_attempts()
    {
        await using var api = await StandInApi.StartAsync(Tasks.Failed("Column 'name' is missing.", attempt: 2));

        var run = await CliRun.RunAsync(api, "show", Tasks.Id);

        run.ExitCode.ShouldBe(0);
        Trimmed(run.Output)
            .ShouldBe(
                $"""
                id        {Tasks.Id}
                kind      users.import
                status    Failed
                attempt   2 (failures 2 of 3, crashes 0)
                created   2026-01-02 03:04:04Z
                queued    2026-01-02 03:04:04Z
                started   2026-01-02 03:04:05Z
                finished  2026-01-02 03:04:17Z (after 12.3 s)
                can       retry
                error
                  Column 'name' is missing.
                attempts
                     worker       started               ran     outcome  error
                  1  host-a:4711  2026-01-02 03:04:05Z  12.3 s  Failed   Column 'name' is missing.
                  2  host-a:4711  2026-01-02 03:04:05Z  12.3 s  Failed   Column 'name' is missing.
                """
            );
    }

    [Fact]
    public async Task Show_prints_tags_who_submitted_it_and_the_trace()
    {
        await using var api = await StandInApi.StartAsync(
            Tasks
                .Cancelled()
                .Replace(
                    "\"links\":{",
                    $"\"tags\":[\"order:42\",\"night\"],\"submittedBy\":\"{Keys.Id}\",\"traceId\":\"4bf92f\",\"links\":{{\"delete\":\"/x\","
                )
        );

        var run = await CliRun.RunAsync(api, "show", Tasks.Id);

        run.Output.ShouldContain($"tags      order:42, night\nsubmitter {Keys.Id}\ntrace     4bf92f\ncan       retry, delete\n");
    }

    [Theory]
    [InlineData("\"tags\":[],\"submittedBy\":null,\"traceId\":null")]
    [InlineData("\"older\":true")]
    public async Task Show_prints_no_tags_where_there_are_none(string members)
    {
        await using var api = await StandInApi.StartAsync(Tasks.Cancelled().Replace("\"links\":{", $"{members},\"links\":{{"));

        var run = await CliRun.RunAsync(api, "show", Tasks.Id);

        foreach (var name in (string[])["tags", "submitter", "trace"])
        {
            run.Output.ShouldNotContain(name);
        }
    }

    [Fact]
    public async Task List_prints_a_row_a_task_and_says_when_there_are_more()
    {
        await using var api = await StandInApi.StartAsync(
            $$"""{"items":[{{Tasks.Running(10, 40, "reading")}},{{Tasks.Succeeded()}},{{Tasks.Failed("It broke.")}}],"next":"c2"}"""
        );

        var run = await CliRun.RunAsync(
            api,
            new Surroundings { Clock = new FastClock(factor: 1) },
            "list",
            "--status",
            "Running",
            "--kind",
            "users.import",
            "--limit",
            "3"
        );

        run.ExitCode.ShouldBe(0);
        api.Requests.ShouldBe(["GET /heavy-tasks?limit=3&status=Running&kind=users.import"]);
        var rows = Trimmed(run.Output).Split('\n');
        rows.Length.ShouldBe(4, run.Output);
        rows[0].ShouldStartWith("id  ");
        rows[1].ShouldContain("55 m 55 s  25 %  10 / 40  reading");
        rows[3].ShouldEndWith("It broke.");
        run.Error.ShouldBe("There are more: use --all, or a larger --limit.\n");
    }

    [Fact]
    public async Task Large_limit_is_read_in_pages_of_the_apis_size()
    {
        await using var api = await StandInApi.StartAsync(context =>
        {
            var limit = int.Parse(context.Request.Query["limit"].ToString());
            return StandInApi.AnswerAsync(
                context,
                $$"""{"items":[{{string.Join(',', Enumerable.Repeat(Tasks.Waiting(), limit))}}],"next":"c{{limit}}"}"""
            );
        });

        var run = await CliRun.RunAsync(api, "list", "--limit", "450");

        api.Requests.ShouldBe([
            "GET /heavy-tasks?limit=200",
            "GET /heavy-tasks?limit=200&cursor=c200",
            "GET /heavy-tasks?limit=50&cursor=c200",
        ]);
        run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(451);
    }

    [Fact]
    public async Task Kinds_prints_parameters_with_type_and_whether_they_are_required()
    {
        await using var api = await StandInApi.StartAsync(
            """
            [{"kind":"users.import","description":"Imports users.","parameters":{"type":"object","required":["fileId","columns"],"properties":{
              "fileId":{"type":"string","format":"uuid","description":"The file."},
              "columns":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"email":{"type":["string","null"]}}},
              "onExisting":{"enum":["Skip","Update",null]}}}},
             {"kind":"users.statistics","description":"Counts users.","parameters":true}]
            """
        );

        var run = await CliRun.RunAsync(api, "kinds");

        Trimmed(run.Output)
            .ShouldBe(
                """
                users.import
                  Imports users.
                    fileId                   uuid             required  The file.
                    columns                  object           required
                    columns.name             string           required
                    columns.email            string
                    onExisting               Skip|Update
                users.statistics
                  Counts users.
                """
            );
    }

    [Fact]
    public async Task Kinds_prints_what_a_parameter_may_be()
    {
        await using var api = await StandInApi.StartAsync(
            """
            [{"kind":"test","description":"Tests.","parameters":{"type":"object","properties":{
              "count":{"type":"integer","minimum":1,"maximum":100,"default":5},
              "least":{"type":"number","minimum":0.5},
              "most":{"type":["integer","null"],"maximum":9,"default":null},
              "code":{"type":"string","minLength":2,"maxLength":2},
              "name":{"type":"string","maxLength":80},
              "mode":{"enum":["Skip","Update"],"default":"Skip"},
              "tags":{"type":"array","minItems":1}}}}]
            """
        );

        var run = await CliRun.RunAsync(api, "kinds");

        Trimmed(run.Output)
            .ShouldBe(
                """
                test
                  Tests.
                    count                    integer 1 to 100 (default 5)
                    least                    number 0.5 or more
                    most                     integer up to 9
                    code                     string of 2 characters
                    name                     string of up to 80 characters
                    mode                     Skip|Update (default Skip)
                    tags                     array of 1 or more items
                """
            );
    }

    [Fact]
    public async Task Help_of_list_names_the_statuses()
    {
        var run = await CliRun.RunAsync(new Surroundings(), "list", "--help");

        foreach (var status in (string[])["Scheduled", "Queued", "Running", "Succeeded", "Failed", "Cancelled"])
        {
            run.Output.ShouldContain(status);
        }
    }

    [Fact]
    public async Task Help_of_submit_names_the_defaults_that_hold()
    {
        var help = (await CliRun.RunAsync(new Surroundings(), "submit", "--help")).Output;

        help.ShouldContain("2030-01-31T22:00:00Z");
        help.ShouldContain("[default: {}]");
        help.ShouldContain("(default: now)");
        help.ShouldContain("(default: the service's setting)");
    }

    [Fact]
    public async Task Task_that_succeeded_shows_an_earlier_error_as_its_attempts_only()
    {
        await using var api = await StandInApi.StartAsync(Tasks.Failed("It broke.").Replace("\"Failed\"", "\"Succeeded\""));

        var run = await CliRun.RunAsync(api, "show", Tasks.Id);

        run.Output.ShouldContain("attempts\n");
        run.Output.ShouldNotContain("error\n  It broke.");
    }

    [Theory]
    [InlineData("Cancelled", "Cancelled.\n")]
    [InlineData("Running", $"Cancel requested; the task is still Running. See: platform follow {Tasks.Id}\n")]
    public async Task Cancel_says_whether_the_task_has_ended(string status, string expected)
    {
        await using var api = await (
            status is "Cancelled" ? StandInApi.StartAsync(Tasks.Cancelled(), 200) : StandInApi.StartAsync(Tasks.Running(), 202)
        );

        var run = await CliRun.RunAsync(api, "cancel", Tasks.Id);

        run.ExitCode.ShouldBe(0);
        run.Output.ShouldBe(expected);
        api.Requests.ShouldBe([$"POST /heavy-tasks/{Tasks.Id}/cancel"]);
    }

    [Fact]
    public async Task Retry_says_how_to_go_on()
    {
        await using var api = await StandInApi.StartAsync(Tasks.Waiting(), 202);

        var run = await CliRun.RunAsync(api, "retry", Tasks.Id);

        run.Output.ShouldBe($"Queued. See: platform follow {Tasks.Id}\n");
        api.Requests.ShouldBe([$"POST /heavy-tasks/{Tasks.Id}/retry"]);
    }

    [Fact]
    public async Task Show_prints_what_a_newer_api_tells()
    {
        var text = JsonSerializer.Serialize(Hostile);
        await using var api = await StandInApi.StartAsync(
            $$"""{"id":"{{Tasks.Id}}","kind":"users.import","status":"Queued","priority":7,"note":{{text}},"more":{"inner":1},"none":null}"""
        );

        var run = await CliRun.RunAsync(api, "show", Tasks.Id);

        run.Output.ShouldContain("priority  7\n");
        run.Output.ShouldContain($"note      {HostileAsText}\n");
        run.Output.ShouldNotContain("inner");
        run.Output.ShouldNotContain("none");
        ShouldBeHarmless(run.Output);
    }

    [Theory]
    [InlineData("show", Tasks.Id)]
    [InlineData("follow", Tasks.Id)]
    [InlineData("list")]
    [InlineData("cancel", Tasks.Id)]
    public async Task Text_of_the_api_is_shown_as_text(params string[] args)
    {
        var text = JsonSerializer.Serialize(Hostile);
        var task = $$"""
            {"id":"{{Tasks.Id}}","kind":{{text}},"status":"Failed","error":{{text}},"progress":{"done":1,"total":2,"text":{{text}}},
             "result":{ {{text}}:{{text}} },"attempts":[{"attempt":1,"worker":{{text}},"outcome":{{text}},"error":{{text}}}]}
            """;
        await using var api = await StandInApi.StartAsync(args[0] is "list" ? $$"""{"items":[{{task}}],"next":null}""" : task);

        var run = await CliRun.RunAsync(api, args);

        run.ExitCode.ShouldBe(args[0] is "follow" ? 1 : 0);
        ShouldBeHarmless(run.Output + run.Error);
        if (args[0] is not "cancel")
        {
            run.Output.ShouldContain(args[0] is "list" or "show" ? HostileAsText : HostileAsText[..^5]);
        }
    }

    [Theory]
    [InlineData(400)]
    [InlineData(500)]
    public async Task Problem_details_are_shown_as_text(int status)
    {
        var text = JsonSerializer.Serialize(Hostile);
        await using var api = await StandInApi.StartAsync(
            $$$"""{"title":{{{text}}},"detail":{{{text}}},"traceId":{{{text}}},"errors":{ {{{text}}}:[{{{text}}}]} }""",
            status
        );

        var run = await CliRun.RunAsync(api, "show", Tasks.Id);

        ShouldBeHarmless(run.Error);
        run.Error.ShouldContain($"  {HostileAsText}: {HostileAsText}\n");
    }

    [Fact]
    public async Task Live_bar_shows_text_as_text()
    {
        var polls = 0;
        await using var api = await StandInApi.StartAsync(context =>
            StandInApi.AnswerAsync(context, ++polls <= 5 ? Tasks.Running(1, 2, Hostile) : Tasks.Failed("[/]"))
        );

        var run = await CliRun.RunAsync(api, new Surroundings { IsInteractive = true }, "follow", Tasks.Id);

        run.ExitCode.ShouldBe(1);
        run.Error.ShouldNotContain("\u001b]0;");
        run.Error.ShouldNotContain("\u001b[2J");
        run.Error.ShouldNotContain("\u0007");
        run.Error.ShouldContain("[red]x[/]");
    }

    private static void ShouldBeHarmless(string text) =>
        text.Where(c => (char.IsControl(c) && c is not '\n') || c is '\u202e').ShouldBeEmpty();

    /// <summary>Tables fill their last column with spaces.</summary>
    private static string Trimmed(string text) => string.Join('\n', text.Split('\n').Select(line => line.TrimEnd())).TrimEnd();
}

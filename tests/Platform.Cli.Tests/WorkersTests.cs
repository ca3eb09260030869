using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

/// <summary><c>workers</c>, <c>workers drain</c> and <c>workers resume</c>.</summary>
public sealed class WorkersTests
{
    private const string Services = $$"""
        {"services":[
          {"name":"platform-api","instances":[{"id":"{{Tasks.Id}}","host":"vm:1","version":"1.0","pool":{},"slots":0}]},
          {"name":"platform-worker","instances":[
            {"id":"00000000-0000-0000-0000-000000000001","host":"vm:42","version":"1.2.3","pool":{},"slots":6,"inFlight":2,
             "drainedAt":null},
            {"id":"00000000-0000-0000-0000-000000000002","host":"v\u001b[2J","version":"1.2","pool":{},"slots":1200,"inFlight":1000,
             "drainedAt":"2026-01-02T03:04:05.6Z"}]}]}
        """;

    [Theory]
    [InlineData(404, "There is no such worker.")]
    [InlineData(403, "The role operate is needed.")]
    public async Task A_refusal_says_why(int status, string detail)
    {
        await using var api = await StandInApi.StartAsync($$"""{"title":"No","detail":"{{detail}}"}""", status);

        foreach (var verb in (string[])["drain", "resume"])
        {
            var run = await CliRun.RunAsync(api, "workers", verb, Tasks.Id);

            run.ExitCode.ShouldBe(3);
            run.OutputBytes.ShouldBeEmpty();
            run.ErrorLines.ShouldBe([$"error: The API refused ({status} No).", $"  {detail}"]);
        }
    }

    [Theory]
    [InlineData("drain")]
    [InlineData("drain", "0198f3a2")]
    [InlineData("resume", "vm:42")]
    public async Task A_worker_is_named_by_its_whole_id(params string[] command)
    {
        await using var api = await StandInApi.StartAsync(Services);

        var run = await CliRun.RunAsync(api, ["workers", .. command]);

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldEndWith($"See: platform workers {command[0]} --help\n");
        api.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"drainedAt":null}""")]
    public async Task An_answer_without_a_worker_is_not_the_apis(string answer) =>
        await Unusable.ShouldBeRefusedAsync(answer, "workers", "drain", Tasks.Id);

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"services":[{"name":"a","instances":[null]}]}""")]
    public async Task An_answer_without_services_is_not_the_apis(string answer) => await Unusable.ShouldBeRefusedAsync(answer, "workers");

    [Theory]
    [InlineData("drain", "\"2026-01-02T03:04:05.6Z\"", $"{Tasks.Id} drains since 2026-01-02 03:04:05Z.\n")]
    [InlineData("resume", "null", $"{Tasks.Id} does not drain.\n")]
    public async Task A_worker_is_drained_and_resumed(string verb, string drainedAt, string said)
    {
        await using var api = await StandInApi.StartAsync($$"""{"id":"{{Tasks.Id}}","drainedAt":{{drainedAt}}}""");

        var run = await CliRun.RunAsync(api, "workers", verb, Tasks.Id);

        (run.ExitCode, run.Output, run.Error).ShouldBe((0, said, ""));
        api.Requests.ShouldBe([$"POST /services/{Tasks.Id}/{verb}"]);
    }

    [Fact]
    public async Task The_list_has_what_runs_tasks_and_does_no_harm_to_a_terminal()
    {
        await using var api = await StandInApi.StartAsync(Services);

        var run = await CliRun.RunAsync(api, "workers");

        run.ExitCode.ShouldBe(0);
        api.Requests.ShouldBe(["GET /services"]);
        run.Output.ShouldBe(
            """
            id                                    service          host   version  tasks        drains since
            00000000-0000-0000-0000-000000000001  platform-worker  vm:42  1.2.3    2/6
            00000000-0000-0000-0000-000000000002  platform-worker  v[2J   1.2      1,000/1,200  2026-01-02 03:04:05Z

            """
        );
    }

    [Fact]
    public async Task Json_is_the_apis_list_of_services()
    {
        await using var api = await StandInApi.StartAsync(Services);

        var run = await CliRun.RunAsync(api, "workers", "--json");

        run.Json.GetProperty("services")[1].GetProperty("instances")[1].GetProperty("slots").GetInt32().ShouldBe(1200);
    }
}

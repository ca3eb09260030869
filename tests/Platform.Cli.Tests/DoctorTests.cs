using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

public sealed class DoctorTests
{
    private const string Budget = """{"max":100,"reserved":3,"available":97,"pools":30,"direct":1,"nearlySpent":false}""";

    [Fact]
    public async Task Doctor_shows_services_pools_and_holders_and_is_content_when_nothing_is_wrong()
    {
        await using var api = await StartAsync(
            Answer(
                Instance(
                    inUse: 3,
                    holders: $$"""
                    {"kind":"users.export","taskId":"{{Tasks.Id}}","attempt":2,"heldSeconds":4.5},
                    {"route":"GET /users/{id}","heldSeconds":0.2,"idleSeconds":0.1}
                    """
                )
            )
        );

        var run = await CliRun.RunAsync(api, "doctor");

        run.ExitCode.ShouldBe(0);
        api.Requests.ShouldBe(["GET /services", "GET /heavy-tasks/kinds"]);
        Trimmed(run.Output)
            .ShouldBe(
                $$"""
                service          instance  pool     in use   idle     waiting  tasks    seen
                platform-worker  vm:42     20       3        1        0        2/6      2.0 s ago

                connections: the pools may open 31 of 97 (max_connections 100, 3 reserved)

                service          held       idle       who holds a connection
                platform-worker  4.5 s      runs       users.export {{Tasks.Id}}, attempt 2
                platform-worker  0.2 s      0.1 s      GET /users/{id}

                Nothing is wrong.
                """
            );
    }

    [Theory]
    [InlineData("waits", "! platform-worker (vm:42): 1 caller waits for a connection, 20 of 20 are in use.")]
    [InlineData("full", "! platform-worker (vm:42): the pool is nearly full, 18 of 20 connections are in use.")]
    [InlineData("unseen", "! platform-worker (vm:42) was last seen 20 s ago")]
    [InlineData(
        "idle",
        $"! platform-worker (vm:42): users.export {Tasks.Id}, attempt 1 has held a connection for 9.0 s, and nothing has run on it for 6.5 s."
    )]
    [InlineData("left behind", "! platform-worker (vm:42): POST /orders (answered) has held a connection for 9.0 s")]
    [InlineData("budget", "! All pools together may open 120 connections, more than the 97 that the server takes")]
    [InlineData("nearly", "! All pools together may open 90 of the 97 connections that the server takes")]
    public async Task Doctor_says_what_is_wrong_and_ends_with_5(string what, string sentence)
    {
        var instance = what switch
        {
            "waits" => Instance(inUse: 20, waiting: 1),
            "full" => Instance(inUse: 18),
            "unseen" => Instance(seen: "12:00:10"),
            "idle" => Instance(holders: Idle($$"""{"kind":"users.export","taskId":"{{Tasks.Id}}","attempt":1,""")),
            "left behind" => Instance(holders: Idle("""{"route":"POST /orders","hasEnded":true,""")),
            _ => Instance(),
        };
        var budget = what switch
        {
            "budget" => Budget.Replace("\"pools\":30", "\"pools\":119", StringComparison.Ordinal),
            "nearly" => Budget
                .Replace("\"pools\":30", "\"pools\":89", StringComparison.Ordinal)
                .Replace("false", "true", StringComparison.Ordinal),
            _ => Budget,
        };
        await using var api = await StartAsync(Answer(instance, budget));

        var run = await CliRun.RunAsync(api, "doctor");

        run.ExitCode.ShouldBe(5);
        var findings = run.Output.Split('\n').Where(line => line.StartsWith('!')).ToArray();
        findings.Length.ShouldBe(1, run.Output);
        findings[0].ShouldStartWith(sentence);

        static string Idle(string who) => $$"""{{who}}"heldSeconds":9,"idleSeconds":6.5,"idleTooLong":true}""";
    }

    [Fact]
    public async Task Json_has_the_findings_beside_what_the_api_said()
    {
        await using var api = await StartAsync(Answer(Instance(inUse: 20, waiting: 3)));

        var run = await CliRun.RunAsync(api, "doctor", "--json");

        run.ExitCode.ShouldBe(5);
        run.Json.GetProperty("findings")[0].GetString()!.ShouldContain("3 callers wait");
        run.Json.GetProperty("remarks").GetArrayLength().ShouldBe(0);
        run.Json.GetProperty("services").GetProperty("connections").GetProperty("max").GetInt32().ShouldBe(100);
    }

    [Fact]
    public async Task Worker_that_drains_is_mentioned_and_is_not_wrong()
    {
        await using var api = await StartAsync(
            Answer(Instance().Replace("\"host\"", $"\"id\":\"{Tasks.Id}\",\"drainedAt\":\"2026-01-02T11:00:00Z\",\"host\""))
        );

        var run = await CliRun.RunAsync(api, "doctor");

        run.ExitCode.ShouldBe(0);
        run.Output.ShouldEndWith(
            "- platform-worker (vm:42) drains since 2026-01-02 11:00:00Z, 2 tasks running. "
                + $"To let it begin tasks again: platform workers resume {Tasks.Id}\nNothing is wrong.\n"
        );
    }

    [Theory]
    [InlineData(0, false, "0 tasks")]
    [InlineData(1, false, "1 task")]
    [InlineData(200, true, "200 tasks or more")]
    public async Task Paused_kind_is_mentioned_with_how_many_tasks_wait(int waiting, bool more, string said)
    {
        await using var api = await StartAsync(
            Answer(Instance()),
            """[{"kind":"a"},{"kind":"users.import","pausedAt":"2026-01-02T11:00:00Z"}]""",
            $$"""{"items":[{{string.Join(',', Enumerable.Repeat(Tasks.Waiting(), waiting))}}],"next":{{(more ? "\"c\"" : "null")}}}"""
        );

        var run = await CliRun.RunAsync(api, "doctor");

        run.ExitCode.ShouldBe(0);
        api.Requests.ShouldBe(["GET /services", "GET /heavy-tasks/kinds", "GET /heavy-tasks?limit=200&status=Queued&kind=users.import"]);
        run.Output.ShouldContain(
            $"- users.import is paused since 2026-01-02 11:00:00Z, {said} queued. "
                + "To let workers begin them: platform kinds resume users.import\n"
        );
    }

    [Fact]
    public async Task What_is_wrong_is_shown_even_where_the_kinds_cannot_be_read()
    {
        await using var api = await StandInApi.StartAsync(context =>
            context.Request.Path.Value is "/services"
                ? StandInApi.AnswerAsync(context, Answer(Instance(inUse: 20, waiting: 3)))
                : StandInApi.AnswerAsync(context, "{}", 503)
        );

        var run = await CliRun.RunAsync(api, "doctor", "--json");

        run.ExitCode.ShouldBe(5);
        run.Json.GetProperty("findings")[0].GetString()!.ShouldContain("3 callers wait");
        run.Json.GetProperty("remarks")[0].GetString()!.ShouldStartWith("Which kinds are paused is not known: The API at ");
    }

    [Fact]
    public async Task Answer_of_an_older_api_is_understood()
    {
        await using var api = await StartAsync(
            """
            {"services":[{"name":"a","poolMax":1,"instances":[{"host":"vm:1","seenAt":"2026-01-02T03:04:05Z","pool":{"max":9,"inUse":1}}]}]}
            """
        );

        var run = await CliRun.RunAsync(api, "doctor");

        run.ExitCode.ShouldBe(0);
        run.Output.ShouldContain("Nothing is wrong.");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"services":null}""")]
    [InlineData("""{"services":[null]}""")]
    [InlineData("""{"services":[{"name":"a"}]}""")]
    [InlineData("""{"services":[{"name":"a","instances":null}]}""")]
    [InlineData("""{"services":[{"name":"a","instances":[null]}]}""")]
    [InlineData("""{"services":[{"name":"a","instances":[{"host":"vm:1"}]}]}""")]
    [InlineData("""{"services":[{"name":"a","instances":[{"host":"vm:1","pool":null}]}]}""")]
    [InlineData("""{"services":[{"name":"a","instances":[{"host":"vm:1","pool":{},"connectionHolders":null}]}]}""")]
    [InlineData("""{"services":[{"name":"a","instances":[{"host":"vm:1","pool":{},"connectionHolders":[null]}]}]}""")]
    public async Task Answer_without_services_or_pools_is_not_the_apis_and_nothing_is_said_to_be_well(string answer) =>
        await Unusable.ShouldBeRefusedAsync(answer, "doctor");

    private static Task<StandInApi> StartAsync(string services, string kinds = "[]", string tasks = """{"items":[]}""") =>
        StandInApi.StartAsync(context =>
            StandInApi.AnswerAsync(
                context,
                context.Request.Path.Value switch
                {
                    "/services" => services,
                    "/heavy-tasks/kinds" => kinds,
                    _ => tasks,
                }
            )
        );

    private static string Answer(string instance, string budget = Budget) =>
        $$"""
            {"now":"2026-01-02T12:00:30Z","services":[{"name":"platform-worker","instances":[{{instance}}]}],"connections":{{budget}}}
            """;

    private static string Instance(int inUse = 0, int waiting = 0, string seen = "12:00:28", string holders = "") =>
        $$"""
            {"host":"vm:42","seenAt":"2026-01-02T{{seen}}Z","pool":{"max":20,"inUse":{{inUse}},"idle":1,"waiting":{{waiting}}},"slots":6,
             "inFlight":2,"connectionHolders":[{{holders}}]}
            """;

    private static string Trimmed(string output) => string.Join('\n', output.Trim().Split('\n').Select(line => line.TrimEnd()));
}

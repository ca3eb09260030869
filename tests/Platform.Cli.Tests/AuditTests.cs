using System.Text.Json;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

/// <summary><c>audit</c> lists who did what.</summary>
public sealed class AuditTests
{
    [Fact]
    public async Task Entries_are_rows_and_what_they_contain_does_no_harm_to_a_terminal()
    {
        await using var api = await StandInApi.StartAsync(
            """
            {"items":[
              {"createdAt":"2026-01-02T03:04:05.6Z","actor":"0000000000000001","actorName":"ci [red]\u001b[2J","tenant":"acme","action":"CancelHeavyTask",
               "target":"t","outcome":"Forbidden","address":"127.0.0.1"},
              {"createdAt":"2026-01-02T03:04:04Z","actor":"","actorName":"root on box","tenant":null,"action":"CreateKey",
               "target":null,"outcome":"Done","address":""}],"next":"x"}
            """
        );

        var run = await CliRun.RunAsync(api, "audit", "--target", "a b", "--actor", "c", "--limit", "2");

        run.ExitCode.ShouldBe(0);
        api.Requests.ShouldBe(["GET /audit?limit=2&target=a%20b&actor=c"]);
        run.Output.ShouldBe(
            """
            time                  who                             action           target  outcome    from       tenant
            2026-01-02 03:04:05Z  ci [red][2J (0000000000000001)  CancelHeavyTask  t       Forbidden  127.0.0.1  acme
            2026-01-02 03:04:04Z  root on box                     CreateKey        -       Done                  -

            """
        );
        run.Error.ShouldBe("There are more: use a larger --limit, --target or --actor.\n");
    }

    [Fact]
    public async Task Fifty_entries_are_listed_unless_told_otherwise()
    {
        await using var api = await StandInApi.StartAsync("""{"items":[],"next":null}""");

        var run = await CliRun.RunAsync(api, "audit");

        run.ExitCode.ShouldBe(0);
        api.Requests.ShouldBe(["GET /audit?limit=50"]);
        run.Output.ShouldBe("time  who  action  target  outcome  from  tenant\n");
        run.Error.ShouldBeEmpty();
    }

    [Fact]
    public async Task Large_limit_is_read_in_pages_of_the_apis_size()
    {
        await using var api = await StandInApi.StartAsync(context =>
        {
            var limit = int.Parse(context.Request.Query["limit"].ToString());
            var entry = """{"createdAt":"2026-01-02T03:04:05Z","actorName":"ci","action":"CreateKey","outcome":"Done"}""";
            return StandInApi.AnswerAsync(
                context,
                $$"""{"items":[{{string.Join(',', Enumerable.Repeat(entry, limit))}}],"next":"c/{{limit}}"}"""
            );
        });

        var run = await CliRun.RunAsync(api, "audit", "--limit", "450", "--actor", Keys.Id);

        api.Requests.ShouldBe([
            $"GET /audit?limit=200&actor={Keys.Id}",
            $"GET /audit?limit=200&actor={Keys.Id}&cursor=c%2F200",
            $"GET /audit?limit=50&actor={Keys.Id}&cursor=c%2F200",
        ]);
        run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(451);
        run.Error.ShouldStartWith("There are more");
    }

    [Fact]
    public async Task Json_is_the_apis_own_and_all_pages_are_one_document()
    {
        await using var api = await StandInApi.StartAsync(context =>
            StandInApi.AnswerAsync(
                context,
                context.Request.Query["cursor"].ToString() is ""
                    ? """{"items":[{"extra":1}],"next":"c"}"""
                    : """{"items":[{"extra":2}],"next":null}"""
            )
        );

        var run = await CliRun.RunAsync(api, "audit", "--json");

        run.ExitCode.ShouldBe(0);
        JsonElement.DeepEquals(run.Json, JsonElement.Parse("""{"items":[{"extra":1},{"extra":2}],"next":null}""")).ShouldBeTrue(run.Output);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"items":null}""")]
    [InlineData("""{"items":[null]}""")]
    [InlineData("""{"items":[{"actor":null}]}""")]
    public async Task An_answer_without_entries_is_not_the_apis(string answer) => await Unusable.ShouldBeRefusedAsync(answer, "audit");

    [Fact]
    public async Task A_key_without_the_role_is_refused()
    {
        await using var api = await StandInApi.StartAsync("""{"title":"Forbidden","detail":"The role admin is needed."}""", 403);

        var run = await CliRun.RunAsync(api, "audit");

        run.ExitCode.ShouldBe(3);
        run.OutputBytes.ShouldBeEmpty();
        run.Error.ShouldContain("The role admin is needed.");
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("many")]
    public async Task A_limit_that_is_no_number_of_entries_is_refused(string limit)
    {
        await using var api = await StandInApi.StartAsync("{}");

        var run = await CliRun.RunAsync(api, "audit", "--limit", limit);

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldEndWith("See: platform audit --help\n");
        api.Requests.ShouldBeEmpty();
    }
}

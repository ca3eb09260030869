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
              {"at":"2026-01-02T03:04:05.6Z","actor":"0000000000000001","actorName":"ci [red]\u001b[2J","tenant":"acme","action":"CancelHeavyTask",
               "target":"t","outcome":"Forbidden","address":"127.0.0.1"},
              {"at":"2026-01-02T03:04:04Z","actor":"","actorName":"root on box","tenant":null,"action":"CreateKey",
               "target":null,"outcome":"Done","address":""}],"next":"x"}
            """
        );

        var run = await CliRun.RunAsync(api, "audit", "--target", "a b", "--actor", "c", "--limit", "2");

        run.ExitCode.ShouldBe(0);
        api.Requests.ShouldBe(["GET /audit?limit=2&target=a%20b&actor=c"]);
        run.Output.ShouldContain("2026-01-02 03:04:05Z  ci [red][2J (0000000000000001)");
        run.Output.ShouldContain("root on box");
        run.Error.ShouldContain("There are more");
    }

    [Fact]
    public async Task Json_is_the_apis_own()
    {
        await using var api = await StandInApi.StartAsync("""{"items":[{"extra":1}],"next":null}""");

        var run = await CliRun.RunAsync(api, "audit", "--json");

        run.Json.GetProperty("items")[0].GetProperty("extra").GetInt32().ShouldBe(1);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"items":null}""")]
    public async Task An_answer_without_entries_is_not_the_apis(string answer)
    {
        await using var api = await StandInApi.StartAsync(answer);

        var run = await CliRun.RunAsync(api, "audit");

        run.ExitCode.ShouldBe(4);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("201")]
    public async Task A_limit_that_no_page_has_is_refused(string limit)
    {
        await using var api = await StandInApi.StartAsync("{}");

        var run = await CliRun.RunAsync(api, "audit", "--limit", limit);

        run.ExitCode.ShouldBe(2);
        api.Requests.ShouldBeEmpty();
    }
}

using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Platform.Cli.Api;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

public sealed class ExitCodeTests
{
    [Fact]
    public async Task Unreachable_api_ends_with_4_and_one_line_that_names_it()
    {
        var url = $"http://127.0.0.1:{UnusedPort()}";

        var run = await CliRun.RunAsync(new Surroundings(), "show", Tasks.Id, "--url", url);

        run.ExitCode.ShouldBe(4);
        run.ErrorLines.ShouldHaveSingleItem().ShouldBe($"error: The API at {url} cannot be reached: Connection refused.");
        run.OutputBytes.ShouldBeEmpty();
    }

    [Fact]
    public async Task Unknown_host_ends_with_4()
    {
        var run = await CliRun.RunAsync(new Surroundings(), "show", Tasks.Id, "--url", "http://no-such-host.invalid");

        run.ExitCode.ShouldBe(4);
        run.ErrorLines.ShouldHaveSingleItem().ShouldStartWith("error: The API at http://no-such-host.invalid cannot be reached: ");
    }

    [Fact]
    public async Task Api_that_accepts_but_never_answers_ends_with_4()
    {
        await using var api = await StandInApi.StartAsync(context => StandInApi.SilenceAsync(context));
        var impatient = new Surroundings { Timeouts = new HttpTimeouts { Response = TimeSpan.FromSeconds(0.3) } };

        var run = await CliRun.RunAsync(api, impatient, "show", Tasks.Id);

        run.ExitCode.ShouldBe(4);
        run.ErrorLines.ShouldHaveSingleItem().ShouldBe($"error: The API at {api.Url} gave no answer for 0.3 s.");
    }

    [Fact]
    public async Task Answer_that_stops_in_the_middle_ends_with_4()
    {
        await using var api = await StandInApi.StartAsync(async context =>
        {
            await context.Response.WriteAsync("""{"id": """);
            await context.Response.Body.FlushAsync();
            context.Abort();
        });

        var run = await CliRun.RunAsync(api, "--json", "show", Tasks.Id);

        run.ExitCode.ShouldBe(4);
        run.ErrorLines.ShouldHaveSingleItem().ShouldStartWith($"error: The connection to the API at {api.Url} broke off: ");
        run.OutputBytes.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(400, 3)]
    [InlineData(404, 3)]
    [InlineData(409, 3)]
    [InlineData(422, 3)]
    [InlineData(500, 4)]
    [InlineData(503, 4)]
    public async Task Refusals_and_failures_of_the_api_differ(int status, int exitCode)
    {
        await using var api = await StandInApi.StartAsync("""{"title":"The title","detail":"The detail."}""", status);

        var run = await CliRun.RunAsync(api, "retry", Tasks.Id);

        run.ExitCode.ShouldBe(exitCode);
        run.Error.ShouldContain("The title");
        run.Error.ShouldContain("The detail.");
        run.Error.ShouldContain(status.ToString());
    }

    [Fact]
    public async Task Something_else_than_the_api_ends_with_4()
    {
        await using var web = await StandInApi.StartAsync(context => context.Response.WriteAsync("<html>Welcome</html>"));
        await using var moved = await StandInApi.StartAsync(context =>
        {
            context.Response.Redirect("https://login.example.com/");
            return Task.CompletedTask;
        });

        var page = await CliRun.RunAsync(web, "show", Tasks.Id);
        var redirect = await CliRun.RunAsync(moved, "show", Tasks.Id);

        page.ExitCode.ShouldBe(4);
        page.Error.ShouldContain("does not answer like the API");
        redirect.ExitCode.ShouldBe(4);
        redirect.Error.ShouldContain("https://login.example.com/");
    }

    [Theory]
    [InlineData("{}", "list")]
    [InlineData("""{"next":"x"}""", "list")]
    [InlineData("""{"items":null}""", "list")]
    [InlineData("""{"items":[null]}""", "list")]
    [InlineData("""{"items":{}}""", "list")]
    [InlineData("[]", "list")]
    [InlineData("null", "list")]
    [InlineData("{}", "kinds")]
    [InlineData("null", "kinds")]
    [InlineData("[null]", "kinds")]
    [InlineData("[{}]", "kinds")]
    [InlineData("""[{"kind":null}]""", "kinds")]
    public async Task Answer_that_lacks_what_it_must_have_is_not_the_apis(string answer, string command) =>
        await Unusable.ShouldBeRefusedAsync(answer, command);

    [Theory]
    [InlineData(404, "text/html", "<h1>Not Found</h1>", "show", Tasks.Id)]
    [InlineData(404, "application/json", """{"error":"Object Not Found"}""", "show", Tasks.Id)]
    [InlineData(404, "text/plain", "404 page not found", "submit", "users.statistics")]
    [InlineData(404, null, "", "show", Tasks.Id)]
    [InlineData(405, null, "", "submit", "users.statistics")]
    [InlineData(401, "text/html", "<h1>Log in</h1>", "list")]
    [InlineData(404, "application/problem+json", """{"title":"Not Found","status":404}""", "kinds")]
    [InlineData(404, "application/problem+json", """{"title":"Not Found","status":404}""", "list")]
    [InlineData(405, "application/problem+json", """{"title":"Method Not Allowed","status":405}""", "submit", "users.statistics")]
    public async Task Server_that_is_not_the_api_has_not_refused_anything(int status, string? type, string body, params string[] command)
    {
        await using var other = await StandInApi.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            return context.Response.WriteAsync(body);
        });

        var run = await CliRun.RunAsync(other, command);

        run.ExitCode.ShouldBe(4);
        run.ErrorLines.ShouldHaveSingleItem().ShouldStartWith($"error: {other.Url} does not answer like the API: it answers {status} to ");
    }

    [Theory]
    [InlineData(400)]
    [InlineData(431)]
    public async Task Request_that_the_apis_server_could_not_read_was_refused(int status)
    {
        await using var api = await StandInApi.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });

        (await CliRun.RunAsync(api, "list")).ExitCode.ShouldBe(3);
    }

    [Theory]
    [InlineData("no-such-command")]
    [InlineData("show")]
    [InlineData("show", "4711")]
    [InlineData("show", Tasks.Id, "--no-such-option")]
    [InlineData("show", Tasks.Id, "--url", "ftp://example.com")]
    [InlineData("show", Tasks.Id, "--url", "not an address")]
    [InlineData("upload", "/no/such/file.csv")]
    [InlineData("upload", "/")]
    [InlineData("submit", "users.export", "--parameters", "{")]
    [InlineData("submit", "users.export", "--parameters", "@/no/such/file.json")]
    [InlineData("submit", "users.export", "--due-at", "tomorrow")]
    [InlineData("submit", "users.export", "--due-at", "03/04/2027")]
    [InlineData("submit", "users.export", "--due-at", "2027-4-3")]
    [InlineData("submit", "users.export", "--max-failures", "many")]
    [InlineData("submit", "users.export", "--idempotency-key", "two words")]
    [InlineData("list", "--limit", "0")]
    [InlineData("list", "--limit", "many")]
    [InlineData("list", "--limit", "1", "--limit", "2")]
    [InlineData("list", "--limit", "5", "--all")]
    [InlineData("download", Tasks.Id, "--json", "-o", "-")]
    [InlineData("generate-users", "/tmp/unused.csv")]
    [InlineData("generate-users", "/no/such/folder/users.csv", "--rows", "1")]
    [InlineData("generate-users", "/tmp/unused.csv", "--rows", "-1")]
    [InlineData("generate-users", "/tmp/unused.csv", "--rows", "1000000000")]
    [InlineData("generate-users", "/tmp/unused.csv", "--rows", "many")]
    [InlineData("demo", "--rows", "many")]
    public async Task Bad_usage_ends_with_2_before_anything_is_sent(params string[] args)
    {
        await using var api = await StandInApi.StartAsync(Tasks.Succeeded());

        var run = await CliRun.RunAsync(new Surroundings { Environment = { ["PLATFORM_URL"] = api.Url } }, args);

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldNotBeEmpty();
        run.Error.ShouldNotContain("   at ");
        run.OutputBytes.ShouldBeEmpty();
        api.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Address_comes_from_the_option_then_from_the_environment_and_keeps_its_path()
    {
        await using var first = await StandInApi.StartAsync(Tasks.Succeeded());
        await using var second = await StandInApi.StartAsync(Tasks.Succeeded());
        var surroundings = new Surroundings { Environment = { ["PLATFORM_URL"] = first.Url } };

        await CliRun.RunAsync(surroundings, "show", Tasks.Id);
        await CliRun.RunAsync(surroundings, "show", Tasks.Id, "--url", $"{second.Url}/behind/gateway");

        first.Requests.ShouldBe([$"GET /heavy-tasks/{Tasks.Id}"]);
        second.Requests.ShouldBe([$"GET /behind/gateway/heavy-tasks/{Tasks.Id}"]);
    }

    private static int UnusedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

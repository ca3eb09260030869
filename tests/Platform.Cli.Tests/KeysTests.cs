using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

/// <summary>The commands that create, list and revoke keys.</summary>
public sealed class KeysTests : IDisposable
{
    private static readonly string created = $$"""
        {"id":"{{Keys.Id}}","name":"ci","roles":["submit","read"],"tenant":null,"expiresAt":null,"key":"{{Keys.Key}}"}
        """;

    private readonly TemporaryFolder folder = new();
    private JsonElement body;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Create_prints_the_key_alone_and_says_beside_it_what_it_is()
    {
        await using var api = await StartAsync();

        var run = await CliRun.RunAsync(api, "keys", "create", "ci", "--role", "submit", "--role", "read");

        run.ExitCode.ShouldBe(0);
        run.Output.ShouldBe($"{Keys.Key}\n");
        run.Error.ShouldBe($"Key {Keys.Id} 'ci': submit, read; all tenants; no end. It is shown only this once: keep it.\n");
        api.Requests.ShouldBe(["POST /keys"]);
        JsonElement
            .DeepEquals(body, JsonElement.Parse("""{"name":"ci","roles":["submit","read"],"tenant":null,"expiresAt":null}"""))
            .ShouldBeTrue(body.ToString());
    }

    [Fact]
    public async Task Create_prints_the_apis_json()
    {
        await using var api = await StartAsync();

        var run = await CliRun.RunAsync(api, "keys", "create", "ci", "--role", "submit,read", "--json");

        run.ExitCode.ShouldBe(0);
        JsonElement.DeepEquals(run.Json, JsonElement.Parse(created)).ShouldBeTrue(run.Output);
        run.Error.ShouldNotContain(Keys.Key);
    }

    [Theory]
    [InlineData("30d", "2026-02-01T04:00:00Z")]
    [InlineData("12h", "2026-01-02T16:00:00Z")]
    [InlineData("365d", "2027-01-02T04:00:00Z")]
    [InlineData("2030-01-31", "2030-01-31T00:00:00Z")]
    [InlineData("2030-01-31T22:00:00+01:00", "2030-01-31T21:00:00Z")]
    public async Task Create_takes_roles_with_commas_a_tenant_and_an_end(string expires, string end)
    {
        await using var api = await StartAsync();

        var run = await CliRun.RunAsync(
            api,
            new Surroundings { Clock = new FastClock(factor: 1) },
            "keys",
            "create",
            "ci",
            "--role",
            "submit, read",
            "--role",
            "read,operate",
            "--tenant",
            "acme",
            "--expires",
            expires
        );

        run.ExitCode.ShouldBe(0, run.Error);
        body.GetProperty("roles").EnumerateArray().Select(role => role.GetString()).ShouldBe(["submit", "read", "operate"]);
        body.GetProperty("tenant").GetString().ShouldBe("acme");
        body.GetProperty("expiresAt").GetString().ShouldBe(end);
    }

    [Fact]
    public async Task Create_writes_the_key_to_a_new_file_that_only_its_owner_can_read()
    {
        await using var api = await StartAsync();
        var (plain, json) = (folder.File("plain.key"), folder.File("json.key"));

        var run = await CliRun.RunAsync(api, "keys", "create", "ci", "--role", "read", "--output", plain);
        var jsonRun = await CliRun.RunAsync(api, "keys", "create", "ci", "--role", "read", "-o", json, "--json");

        run.ExitCode.ShouldBe(0, run.Error);
        run.Output.ShouldBe($"{plain}\n");
        run.Error.ShouldStartWith($"Key {Keys.Id} 'ci': ");
        jsonRun.Json.GetProperty("id").GetString().ShouldBe(Keys.Id);
        jsonRun.Json.GetProperty("file").GetString().ShouldBe(json);
        $"{run.Output}{run.Error}{jsonRun.Output}{jsonRun.Error}".ShouldNotContain("aaaa");
        foreach (var file in new[] { plain, json })
        {
            (await File.ReadAllTextAsync(file)).ShouldBe($"{Keys.Key}\n");
            if (!OperatingSystem.IsWindows())
            {
                File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
        }
    }

    [Fact]
    public async Task Create_replaces_no_file_and_then_creates_no_key()
    {
        await using var api = await StartAsync();
        var file = folder.Write("ci.key", "older");

        var existing = await CliRun.RunAsync(api, "keys", "create", "ci", "--role", "read", "--output", file);
        var noFolder = await CliRun.RunAsync(api, "keys", "create", "ci", "--role", "read", "--output", folder.File("no/ci.key"));

        existing.ExitCode.ShouldBe(2);
        existing.Error.ShouldBe($"error: '{file}' exists already. A key never replaces a file.\n");
        noFolder.ExitCode.ShouldBe(2);
        (await File.ReadAllTextAsync(file)).ShouldBe("older");
        api.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Create_leaves_no_file_when_the_api_refuses()
    {
        await using var api = await StandInApi.StartAsync(
            """{"title":"The request is not valid.","errors":{"tenant":["An administrator has no tenant."]}}""",
            400
        );

        var run = await CliRun.RunAsync(
            api,
            "keys",
            "create",
            "ci",
            "--role",
            "admin",
            "--tenant",
            "acme",
            "--output",
            folder.File("ci.key")
        );

        run.ExitCode.ShouldBe(3);
        run.Error.ShouldContain("tenant: An administrator has no tenant.");
        folder.Entries.ShouldBeEmpty();
    }

    [Fact]
    public async Task List_prints_a_row_a_key_with_its_state()
    {
        await using var api = await StandInApi.StartAsync(
            """
            {"items":[
              {"id":"0000000000000001","name":"ci","roles":["submit","read"],"tenant":null,"createdAt":"2026-01-01T00:00:00Z",
               "expiresAt":"2026-01-02T04:00:01Z","revokedAt":null,"lastUsedAt":"2026-01-02T03:04:05.6Z"},
              {"id":"0000000000000002","name":"acme [red]\u001b[2J","roles":["read"],"tenant":"acme","createdAt":"2026-01-01T00:00:00Z",
               "expiresAt":"2026-01-02T04:00:00Z","revokedAt":null,"lastUsedAt":null},
              {"id":"0000000000000003","name":"boss","roles":["admin"],"tenant":null,"createdAt":"2026-01-01T00:00:00Z",
               "expiresAt":"2026-01-02T00:00:00Z","revokedAt":"2026-01-01T12:00:00Z","lastUsedAt":null}]}
            """
        );

        var run = await CliRun.RunAsync(api, new Surroundings { Clock = new FastClock(factor: 1) }, "keys", "list");

        run.ExitCode.ShouldBe(0);
        api.Requests.ShouldBe(["GET /keys"]);
        run.Output.ShouldBe(
            """
            id                name           roles        tenant  state    last used
            0000000000000001  ci             submit,read  -       active   2026-01-02 03:04:05Z
            0000000000000002  acme [red][2J  read         acme    ended    never
            0000000000000003  boss           admin        -       revoked  never

            """
        );
    }

    [Fact]
    public async Task List_prints_the_apis_json()
    {
        await using var api = await StandInApi.StartAsync("""{"items":[{"id":"0000000000000001","extra":1}]}""");

        var run = await CliRun.RunAsync(api, "keys", "list", "--json");

        run.Json.GetProperty("items")[0].GetProperty("extra").GetInt32().ShouldBe(1);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"items":null}""")]
    [InlineData("""{"items":[null]}""")]
    [InlineData("""{"items":[{"id":"0000000000000001","roles":null}]}""")]
    [InlineData("""{"items":[{"id":"0000000000000001","roles":[null]}]}""")]
    public async Task List_takes_no_answer_without_keys(string answer) => await Unusable.ShouldBeRefusedAsync(answer, "keys", "list");

    [Fact]
    public async Task Revoke_names_the_key()
    {
        await using var api = await StandInApi.StartAsync(context =>
        {
            context.Response.StatusCode = 204;
            return Task.CompletedTask;
        });

        var run = await CliRun.RunAsync(api, "keys", "revoke", Keys.Id);
        var json = await CliRun.RunAsync(api, "keys", "revoke", Keys.Id, "--json");

        run.ExitCode.ShouldBe(0);
        run.Output.ShouldBe("Revoked.\n");
        json.Json.GetProperty("revoked").GetString().ShouldBe(Keys.Id);
        api.Requests.ShouldBe([$"DELETE /keys/{Keys.Id}", $"DELETE /keys/{Keys.Id}"]);
    }

    [Fact]
    public async Task Revoke_of_no_key_is_a_refusal()
    {
        await using var api = await StandInApi.StartAsync("""{"title":"Not Found","detail":"There is no such key."}""", 404);

        var run = await CliRun.RunAsync(api, "keys", "revoke", Keys.Id);

        run.ExitCode.ShouldBe(3);
        run.OutputBytes.ShouldBeEmpty();
        run.Error.ShouldBe("error: The API refused (404 Not Found).\n  There is no such key.\n");
    }

    [Theory]
    [InlineData("list")]
    [InlineData("create", "ci", "--role", "read")]
    public async Task Server_without_keys_is_not_the_api(params string[] command)
    {
        await using var other = await StandInApi.StartAsync("""{"title":"Not Found"}""", 404);

        (await CliRun.RunAsync(other, ["keys", .. command])).ExitCode.ShouldBe(4);
    }

    [Theory]
    [InlineData("create", "ci", "--role", "read")]
    [InlineData("revoke", Keys.Id)]
    public async Task Answer_that_makes_no_sense_ends_with_4(params string[] command)
    {
        await using var other = await StandInApi.StartAsync("{}");

        var run = await CliRun.RunAsync(other, ["keys", .. command]);

        run.ExitCode.ShouldBe(4);
        run.OutputBytes.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("platform keys --help")]
    [InlineData("platform keys create --help", "create", "--role", "read")]
    [InlineData("platform keys create --help", "create", "ci")]
    [InlineData("platform keys create --help", "create", "ci", "--role", "write")]
    [InlineData("platform keys create --help", "create", "ci", "--role", "submit,")]
    [InlineData("platform keys create --help", "create", "ci", "--role", "read", "--expires", "soon")]
    [InlineData("platform keys create --help", "create", "ci", "--role", "read", "--expires", "0d")]
    [InlineData("platform keys create --help", "create", "ci", "--role", "read", "--expires", "4000d")]
    [InlineData("platform keys revoke --help", "revoke")]
    [InlineData("platform keys revoke --help", "revoke", "4711")]
    [InlineData("platform keys revoke --help", "revoke", "../heavy-tasks/abcdef")]
    public async Task Bad_usage_ends_with_2_before_anything_is_sent(string help, params string[] args)
    {
        await using var api = await StartAsync();

        var run = await CliRun.RunAsync(api, ["keys", .. args]);

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldEndWith($"See: {help}\n");
        run.OutputBytes.ShouldBeEmpty();
        api.Requests.ShouldBeEmpty();
    }

    /// <summary>Creates the same key whatever is asked, and keeps what was asked.</summary>
    private Task<StandInApi> StartAsync() =>
        StandInApi.StartAsync(async context =>
        {
            body = (await JsonDocument.ParseAsync(context.Request.Body)).RootElement;
            context.Request.ContentType.ShouldBe("application/json");
            await StandInApi.AnswerAsync(context, created, 201);
        });
}

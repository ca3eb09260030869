using System.Net;
using System.Net.Http.Headers;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;

namespace Platform.Support.Tests;

/// <summary>What run.sh gives its services at the servers: users of their own, who can do no more than services need.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ServicesUserTests : IDisposable
{
    private readonly string folder = Path.Combine(
        Environment.GetEnvironmentVariable("TEST_SERVERS") ?? Path.GetTempPath(),
        $"services-user-{Guid.NewGuid():N}"
    );

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Each_user_has_a_secret_of_its_own_that_nobody_else_can_read()
    {
        Directory.CreateDirectory(folder);

        var secrets = (
            await RunAsync(
                $"umask 000; password {folder}; password {folder} platform; password {folder} services; password {folder} platform"
            )
        ).Split('\n');

        secrets.Length.ShouldBe(4);
        secrets[3].ShouldBe(secrets[1]);
        secrets.Distinct().Count().ShouldBe(3);
        secrets.ShouldAllBe(secret => secret.Length >= 24);
        Directory
            .EnumerateFiles(folder)
            .ShouldAllBe(file => File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Fact]
    public async Task Services_own_a_database_and_administer_no_server()
    {
        // The second time the user is there already; before, a user of an earlier release had the administrator's password.
        var (server, question) = DatabaseServer.Variable.EndsWith("MYSQL", StringComparison.Ordinal)
            ? ("mysql", "SHOW GRANTS FOR platform@'127.0.0.1'")
            : ("postgres", "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'platform'");
        var answer = (
            await RunAsync(
                $$"""
                trap '{{server}}_kill "$f"' EXIT
                f={{folder}}
                mkdir -p -m 711 "$f"
                port=$({{server}}_start "$f" | sed -n 's/^port=//p') || exit 1
                {{server}}_database "$f" "$port" && rm "$f/platform.password" && {{server}}_database "$f" "$port" || exit 1
                password "$f"
                {{server}}_sql "$f" "$port" <<<"{{question}};"
                """
            )
        ).Split('\n');

        var administrator = answer[2];
        administrator.Length.ShouldBeGreaterThanOrEqualTo(24);
        answer[0].ShouldNotBe(answer[1], "another password");
        answer[..2].ShouldAllBe(connectionString => !connectionString.Contains(administrator, StringComparison.Ordinal));
        var rights = string.Join('\n', answer[3..]);
        if (server == "mysql")
        {
            rights.ShouldContain("GRANT USAGE ON *.*");
            rights.ShouldContain("ON `platform`.*");
            rights.ShouldNotContain("GRANT OPTION");
        }
        else
        {
            rights.ShouldContain("f        | f             | f");
        }
    }

    [Fact]
    public async Task Services_use_the_broker_and_administer_nothing()
    {
        await using var run = Shell.Start(
            $$"""
            . tools/servers.sh; . tools/services.sh
            trap 'rabbitmq_kill "$f"' EXIT
            f={{folder}}
            mkdir -p -m 711 "$f"
            rabbitmq_start "$f" >"$f/addresses" || exit 1
            management=$(sed -n 's/^management=//p' "$f/addresses")
            uri=$(rabbitmq_user "$f" "$(sed -n 's/^uri=//p' "$f/addresses")" "$management") || exit 1
            printf '%s\n' "$uri" "$management" ready
            while [[ -e $f/addresses ]]; do sleep 0.1; done
            """
        );
        await Eventually.Async(
            () => Task.FromResult(run.Output.EndsWith("ready", StringComparison.Ordinal)),
            TimeSpan.FromMinutes(2),
            "the broker has started"
        );
        var lines = run.Output.Split('\n');
        var uri = new Uri(lines[^3]);
        var management = new Uri(lines[^2]);

        management.UserInfo.Split(':')[1].ShouldNotBe(uri.UserInfo.Split(':')[1]);
        uri.UserInfo.ShouldStartWith("services:");
        await TestBroker.Attach(uri, management).DeclareQueueAsync("letters", "amq.fanout");
        using var http = new HttpClient { BaseAddress = new UriBuilder(management) { UserName = "", Password = "" }.Uri };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes(uri.UserInfo))
        );
        var whoAmI = JsonElement.Parse(await http.GetStringAsync("/api/whoami", TestContext.Current.CancellationToken));
        whoAmI.GetProperty("tags").ToString().ShouldBe("""["monitoring"]""");
        using var users = await http.GetAsync("/api/users", TestContext.Current.CancellationToken);
        users.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        File.Delete(Path.Combine(folder, "addresses"));
        (await run.EndAsync(TimeSpan.FromMinutes(1))).ShouldBe(0, run.Output);
    }

    private static Task<string> RunAsync(string script) => Shell.RunAsync($". tools/servers.sh; . tools/services.sh\n{script}");
}

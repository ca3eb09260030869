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
    public async Task Each_service_has_a_user_of_its_own_at_the_database_and_none_administers_the_server()
    {
        // Before, one user owned everything: its tables must stay, and it must go. The second time all users are there already.
        var (server, before, question) = DatabaseServer.Variable.EndsWith("MYSQL", StringComparison.Ordinal)
            ? (
                "mysql",
                """
                CREATE DATABASE platform; CREATE TABLE platform.kept (id int);
                CREATE USER platform@'127.0.0.1'; GRANT ALL ON platform.* TO platform@'127.0.0.1';
                """,
                """
                SELECT user, Super_priv, Create_user_priv, Grant_priv FROM mysql.user WHERE user LIKE 'platform%' ORDER BY user;
                SELECT table_name FROM information_schema.tables WHERE table_schema = 'platform';
                """
            )
            : (
                "postgres",
                """
                CREATE ROLE platform LOGIN;
                CREATE DATABASE platform OWNER platform;
                \connect platform
                CREATE TABLE kept (id int);
                ALTER TABLE kept OWNER TO platform;
                """,
                """
                SELECT rolname, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname LIKE 'platform%' ORDER BY rolname;
                \connect platform
                SELECT tableowner, tablename FROM pg_tables WHERE tablename = 'kept';
                """
            );
        var answer = (
            await RunAsync(
                $$"""
                trap '{{server}}_kill "$f"' EXIT
                f={{folder}}
                mkdir -p -m 711 "$f"
                port=$({{server}}_start "$f" | sed -n 's/^port=//p') || exit 1
                {{server}}_sql "$f" "$port" <<'SQL' || exit 1
                {{before}}
                SQL
                {{server}}_database "$f" "$port" && rm "$f/platform-api.password" && {{server}}_database "$f" "$port" || exit 1
                password "$f"
                {{server}}_sql "$f" "$port" <<'SQL' | tr -s ' |\t' ' '
                {{question}}
                SQL
                """
            )
        ).Split('\n');

        string[] names = ["migrate", "api", "worker", "dashboard"];
        answer[..4].Concat(answer[4..8]).Select(line => line.Split('=')[0]).ShouldBe([.. names, .. names]);
        var administrator = answer[8];
        administrator.Length.ShouldBeGreaterThanOrEqualTo(24);
        answer[..8].ShouldAllBe(line => !line.Contains(administrator, StringComparison.Ordinal));
        answer[0].ShouldBe(answer[4]);
        answer[1].ShouldNotBe(answer[5], "another password");
        answer[..4].Select(line => line.Split("Password=")[1].Split(';')[0]).Distinct().Count().ShouldBe(4);
        var rights = string.Join('\n', answer[9..]);
        var none = server == "mysql" ? "N N N" : "f f f";
        foreach (var name in names)
        {
            rights.ShouldContain($"platform_{name} {none}");
        }

        rights.ShouldNotContain("platform ");
        rights.ShouldContain(server == "mysql" ? "kept" : "platform_migrate kept");
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

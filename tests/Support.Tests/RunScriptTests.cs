using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Platform.Support.Tests;

/// <summary>
/// run.sh with servers that are there already and a program "dotnet" that does what a test says: everything but what it starts is real. The
/// test answers in place of the services.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class RunScriptTests : IAsyncDisposable
{
    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string root = Directory.CreateTempSubdirectory("platform-run-").FullName;
    private readonly List<TcpListener> listeners = [];
    private ShellRun? run;

    public async ValueTask DisposeAsync()
    {
        if (run is not null)
        {
            Signal("TERM");
            await run.EndAsync(TimeSpan.FromMinutes(1));
            await run.DisposeAsync();
        }

        foreach (var listener in listeners)
        {
            listener.Dispose();
        }

        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public async Task Port_that_somebody_has_is_said_and_the_next_is_passed_on()
    {
        Occupy(5080);

        await StartAsync();

        var port = PortOf("api");
        port.ShouldNotBe(5080);
        run!.Output.ShouldContain($"Somebody has port 5080: the api listens on {port}.");
        run.Output.ShouldContain($"API          http://127.0.0.1:{port}\n");
        run.Output.ShouldContain($"PLATFORM_URL=http://127.0.0.1:{port} ");
        (await File.ReadAllTextAsync(Path.Combine(root, "demo"), TestContext.Current.CancellationToken)).ShouldContain(
            $"--url http://127.0.0.1:{port} "
        );
    }

    [Fact]
    public async Task Of_two_starts_at_once_the_one_that_cannot_bind_goes_on_to_another_port()
    {
        // Another start binds between this one's look at the port and its service's own bind, and answers on it.
        await StartAsync(loses: "api");

        var lost = int.Parse(await File.ReadAllTextAsync(Path.Combine(root, "api.lost"), TestContext.Current.CancellationToken));
        PortOf("api").ShouldBeGreaterThan(lost);
        run!.Output.ShouldContain($"API          http://127.0.0.1:{PortOf("api")}\n");
    }

    [Fact]
    public async Task What_it_writes_is_nobody_elses()
    {
        await StartAsync();

        foreach (var folder in (string[])["logs", "run"])
        {
            File.GetUnixFileMode(Path.Combine(root, ".data", folder)).ShouldBe(OwnersOnly);
            Directory
                .EnumerateFiles(Path.Combine(root, ".data", folder))
                .Where(file => (File.GetUnixFileMode(file) | OwnersOnly) != OwnersOnly)
                .ShouldBeEmpty();
        }

        File.GetUnixFileMode(Path.Combine(root, ".data", "run", "users.csv")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task Interrupt_ends_it_in_the_background_of_a_shell_without_job_control()
    {
        await StartAsync();

        Signal("INT");

        (await run!.EndAsync(TimeSpan.FromSeconds(30))).ShouldBe(0);
        run.Output.ShouldContain("Stopping.");
        run = null;
    }

    /// <summary>Starts run.sh as such a shell does, with SIGINT ignored, and waits until it stays.</summary>
    private async Task StartAsync(string loses = "none")
    {
        foreach (var file in (string[])["run.sh", "tools/servers.sh", "tools/newer.sh", "tools/build.sh", "tools/services.sh"])
        {
            var copy = Path.Combine(root, file);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Path.Combine(Repository.Root, file), copy);
        }

        Directory.CreateDirectory(Path.Combine(root, "bin"));
        await File.WriteAllTextAsync(
            Path.Combine(root, "bin", "dotnet"),
            $$"""
            #!/usr/bin/env bash
            cd {{root}}
            name=none
            case $1 in
                --version) echo 10.0.100; exit ;;
                *Platform.Api.dll) name=api ;;
                *Platform.Worker.dll) name=worker ;;
                *Platform.Dashboard.dll) name=dashboard ;;
                *platform.dll) printf '%s ' "$@" >demo; touch .data/run/users.csv; exit ;;
            esac
            [[ ${2:-} == --urls ]] || exit 0
            if [[ $name == {{loses}} && ! -e $name.lost ]]; then
                printf %s "${3##*:}" >$name.lost
                echo "Failed to bind to address $3: address already in use."
                exit 134
            fi
            printf %s "${3##*:}" >$name.part && mv $name.part $name.port
            echo "Now listening on: $3"
            exec sleep 600
            """
        );
        File.SetUnixFileMode(Path.Combine(root, "bin", "dotnet"), OwnersOnly);
        foreach (var project in (string[])["services/Api", "services/Worker", "services/Dashboard", "tools/Platform.Cli", "shared"])
        {
            Directory.CreateDirectory(Path.Combine(root, project, "bin", "MySql", "Release", "net10.0"));
        }

        var started = Shell.Start(
            $"trap '' INT; umask 022; {root}/run.sh & echo $! >{root}/pid; wait $!",
            new Dictionary<string, string>
            {
                ["PATH"] = $"{root}/bin:{Environment.GetEnvironmentVariable("PATH")}",
                ["ConnectionStrings__Platform"] = "Server=of-somebody-else",
                ["RabbitMq__Uri"] = "amqp://of-somebody-else/",
            }
        );
        run = started;
        foreach (var name in (string[])["api", "worker", "dashboard"])
        {
            await Eventually.Async(
                () => Task.FromResult(File.Exists(Path.Combine(root, $"{name}.port"))),
                TimeSpan.FromSeconds(60),
                $"{name} is started"
            );
            Occupy(PortOf(name));
        }

        await Eventually.Async(
            () => Task.FromResult(started.Output.Contains("Ctrl-C stops everything", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(60),
            "everything is up"
        );
    }

    private int PortOf(string name) => int.Parse(File.ReadAllText(Path.Combine(root, $"{name}.port")));

    private void Signal(string name)
    {
        using var kill = System.Diagnostics.Process.Start("bash", ["-c", $"kill -s {name} $(<{root}/pid) 2>/dev/null || true"]);
        kill.WaitForExit();
    }

    /// <summary>Listens on a port, unless somebody does, and answers every request with 200.</summary>
    private void Occupy(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
        }
        catch (SocketException)
        {
            listener.Dispose();
            return;
        }

        listeners.Add(listener);
        _ = Task.Run(async () =>
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync();
                await client.GetStream().WriteAsync("HTTP/1.0 200 OK\r\n\r\n"u8.ToArray());
            }
        });
    }
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Platform.PoolRunner;

/// <summary>A built service as a process of its own, which never outlives its owner.</summary>
internal sealed class Service : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(1);

    private readonly ProcessStartInfo start;
    private readonly TimeProvider time;
    private Process process;

    private Service(ProcessStartInfo start, Uri address, TimeProvider time)
    {
        this.start = start;
        this.time = time;
        Address = address;
        process = Process.Start(start)!;
    }

    public Uri Address { get; }

    /// <summary>Starts a service and waits until it answers.</summary>
    /// <param name="project">Its folder below the repository's root.</param>
    /// <param name="probe">A path that it answers with 2xx when it is ready.</param>
    public static async Task<Service> StartAsync(
        string project,
        string probe,
        IEnumerable<KeyValuePair<string, string>> environment,
        TimeProvider time,
        params string[] arguments
    )
    {
        var address = new Uri($"http://127.0.0.1:{FreePort()}");
        var service = new Service(StartInfo(project, environment, ["--urls", address.ToString(), .. arguments]), address, time);
        await service.AwaitAsync(probe);
        return service;
    }

    /// <summary>Runs a service's command to its end.</summary>
    public static async Task RunAsync(string project, IEnumerable<KeyValuePair<string, string>> environment, params string[] arguments)
    {
        using var process = Process.Start(StartInfo(project, environment, arguments))!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{project} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
        }
    }

    /// <summary>SIGKILL, then the same again on the same port.</summary>
    public async Task KillAndStartAgainAsync(string probe)
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        process = Process.Start(start)!;
        await AwaitAsync(probe);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private async Task AwaitAsync(string probe)
    {
        using var client = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(5) };
        var started = time.GetTimestamp();
        while (true)
        {
            try
            {
                using var answer = await client.GetAsync(new Uri(probe, UriKind.Relative));
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException) { }

            if (process.HasExited || time.GetElapsedTime(started) > StartLimit)
            {
                throw new InvalidOperationException($"{start.ArgumentList[0]} did not start.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), time);
        }
    }

    private static ProcessStartInfo StartInfo(string project, IEnumerable<KeyValuePair<string, string>> environment, string[] arguments)
    {
        var assembly = Repository.Assembly(project);
        var start = new ProcessStartInfo("dotnet", [assembly, .. arguments]) { WorkingDirectory = Path.GetDirectoryName(assembly) };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

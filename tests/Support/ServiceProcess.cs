using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Platform.Support;

/// <summary>A built service, run as the real process that it is in production, to be paused, killed or told to end. It never outlives the test.</summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    private const int MaxLines = 20_000;

    // SIGABRT, the end of a process at an exception that nobody handled.
    private const int Crashed = 134;

    private readonly Process process;
    private readonly List<string> lines = [];
    private bool endIsExpected;

    private ServiceProcess(Process process) => this.process = process;

    private enum Signal
    {
        Terminate = 15,
        Continue = 18,
        Stop = 19,
    }

    /// <summary>The number of the process.</summary>
    public int Id => process.Id;

    /// <summary>Whether the process has ended.</summary>
    public bool HasExited => process.HasExited;

    /// <summary>What the process wrote so far to its standard output and error (the last 20,000 lines).</summary>
    public string Output
    {
        get
        {
            lock (lines)
            {
                return string.Join('\n', lines);
            }
        }
    }

    /// <summary>Starts a service. It must be built: the test project refers to the service's project.</summary>
    /// <param name="project">The project's folder below the repository's root, such as <c>services/Worker</c>; or a folder
    /// outside of it, such as <c>/somewhere/Worker</c>, that the service was published to.</param>
    /// <param name="environment">Configuration as environment variables (<c>ConnectionStrings__Platform</c>), over those of the test; null removes one.</param>
    /// <param name="arguments">Arguments of the service, such as <c>migrate</c>.</param>
    public static ServiceProcess Start(string project, IReadOnlyDictionary<string, string?> environment, params string[] arguments)
    {
        ArgumentNullException.ThrowIfNull(project);
        ArgumentNullException.ThrowIfNull(environment);
        var folder = Path.IsPathRooted(project) ? project : Repository.OutputFolder(project);
        var assembly = Path.Combine(folder, $"Platform.{project.Split('/')[^1]}.dll");
        return File.Exists(assembly)
            ? StartAssembly(assembly, environment, arguments)
            : throw new FileNotFoundException(
                $"{assembly} is not built: the test project needs a ProjectReference to {project}.",
                assembly
            );
    }

    /// <summary>Starts an application that was built somewhere else.</summary>
    public static ServiceProcess StartAssembly(string assembly, IReadOnlyDictionary<string, string?> environment, params string[] arguments)
    {
        ArgumentNullException.ThrowIfNull(environment);
        var start = new ProcessStartInfo("dotnet", [assembly, .. arguments])
        {
            WorkingDirectory = Path.GetDirectoryName(assembly),
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var service = new ServiceProcess(new Process { StartInfo = start });
        service.process.OutputDataReceived += service.Capture;
        service.process.ErrorDataReceived += service.Capture;
        service.process.Start();
        service.process.BeginOutputReadLine();
        service.process.BeginErrorReadLine();
        return service;
    }

    /// <summary>SIGTERM: the service is told to finish and end.</summary>
    public void Terminate() => Send(Signal.Terminate);

    /// <summary>SIGSTOP: the process stands still, with all its connections open.</summary>
    public void Pause() => Send(Signal.Stop);

    /// <summary>SIGCONT: the paused process goes on.</summary>
    public void Resume() => Send(Signal.Continue);

    /// <summary>SIGKILL: the process ends where it stands. Returns when it is gone.</summary>
    public async Task KillAsync()
    {
        endIsExpected = true;
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Waits until the process has ended by itself; returns its exit code.</summary>
    /// <exception cref="TimeoutException">It did not end in time. The text has the end of its output.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan timeout)
    {
        endIsExpected = true;
        using var limit = new CancellationTokenSource(timeout);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode;
        }
        catch (OperationCanceledException exception)
        {
            throw new TimeoutException($"The process did not end within {timeout.TotalSeconds:0.###} s. {Tail()}", exception);
        }
    }

    /// <summary>Waits until the output has a line that contains the text; returns that line.</summary>
    /// <exception cref="TimeoutException">No such line in time.</exception>
    /// <exception cref="InvalidOperationException">The process ended without it.</exception>
    public async Task<string> WaitForOutputAsync(string text, TimeSpan timeout)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            // Asked before the look at the lines: what an ended process wrote is all there then.
            var ended = process.HasExited;
            if (ended)
            {
                await process.WaitForExitAsync();
            }

            lock (lines)
            {
                if (lines.Find(line => line.Contains(text, StringComparison.Ordinal)) is { } found)
                {
                    return found;
                }
            }

            if (ended)
            {
                throw new InvalidOperationException($"The process ended with {process.ExitCode} and never wrote \"{text}\". {Tail()}");
            }

            if (watch.Elapsed > timeout)
            {
                throw new TimeoutException($"The process did not write \"{text}\" within {timeout.TotalSeconds:0.###} s. {Tail()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, CancellationToken.None);
        }
    }

    /// <summary>The address that a web service listens on, when it does. Start it with the arguments <c>--urls http://127.0.0.1:0</c> to get a free port.</summary>
    public async Task<Uri> WaitForAddressAsync(TimeSpan timeout)
    {
        const string Announcement = "Now listening on: ";
        var line = await WaitForOutputAsync(Announcement, timeout);
        return new Uri(line[(line.IndexOf(Announcement, StringComparison.Ordinal) + Announcement.Length)..].Split('"', ' ', ',')[0]);
    }

    /// <summary>Kills the process if it still runs.</summary>
    /// <exception cref="InvalidOperationException">It crashed, and the test did not notice.</exception>
    public async ValueTask DisposeAsync()
    {
        endIsExpected |= !process.HasExited;
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }

        await process.WaitForExitAsync();
        var crashed = !endIsExpected && process.ExitCode == Crashed;
        process.Dispose();
        if (crashed)
        {
            throw new InvalidOperationException($"The process crashed. {Tail()}");
        }
    }

    private void Capture(object sender, DataReceivedEventArgs data)
    {
        if (data.Data is null)
        {
            return;
        }

        lock (lines)
        {
            if (lines.Count == MaxLines)
            {
                lines.RemoveRange(0, MaxLines / 2);
            }

            lines.Add(data.Data);
        }
    }

    private string Tail()
    {
        lock (lines)
        {
            return $"The end of its output:\n{string.Join('\n', lines.TakeLast(40))}";
        }
    }

    private void Send(Signal signal)
    {
        if (process.HasExited || SendSignal(process.Id, (int)signal) != 0)
        {
            throw new InvalidOperationException($"The process has ended already. {Tail()}");
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int processId, int signal);
}

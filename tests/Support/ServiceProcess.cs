using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Platform.Support;

/// <summary>
/// A built service that runs as a real process, as in production, and can be paused, killed or stopped. It never outlives the test.
/// </summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    private const int MaxLines = 20_000;

    // SIGABRT, which ends a process after an unhandled exception.
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

    /// <summary>What the process has written so far to its standard output and error (the last 20,000 lines).</summary>
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

    /// <summary>Starts a service. The service must be built: the test project refers to its project.</summary>
    /// <param name="project">The project's folder below the repository's root, such as <c>services/Worker</c>; or a folder
    /// outside of it, such as <c>/somewhere/Worker</c>, that the service was published to.</param>
    /// <param name="environment">
    /// Configuration as environment variables (<c>ConnectionStrings__Platform</c>), which override those of the test; null removes one.
    /// </param>
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

    /// <summary>Starts an application that was built elsewhere.</summary>
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

    /// <summary>Sends SIGTERM, which asks the service to finish and end.</summary>
    public void Terminate() => Send(Signal.Terminate);

    /// <summary>Sends SIGSTOP: the process halts with all its connections open.</summary>
    public void Pause() => Send(Signal.Stop);

    /// <summary>Sends SIGCONT: the paused process goes on.</summary>
    public void Resume() => Send(Signal.Continue);

    /// <summary>Sends SIGKILL: the process ends at once. Returns when it has ended.</summary>
    public async Task KillAsync()
    {
        endIsExpected = true;
        process.Kill();
        await process.WaitForExitAsync();
    }

    /// <summary>Waits until the process has ended by itself, and returns its exit code.</summary>
    /// <exception cref="TimeoutException">The process did not end in time. The message contains the end of its output.</exception>
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

    /// <summary>Waits until the output has a line that contains the text, and returns that line.</summary>
    /// <exception cref="TimeoutException">No such line appeared in time.</exception>
    /// <exception cref="InvalidOperationException">The process ended without such a line.</exception>
    public async Task<string> WaitForOutputAsync(string text, TimeSpan timeout)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            // Read this before the lines: if the process has ended, its output is complete.
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

    /// <summary>
    /// Waits until a web service listens, and returns its address. Start it with the arguments <c>--urls http://127.0.0.1:0</c> to get a
    /// free port.
    /// </summary>
    public async Task<Uri> WaitForAddressAsync(TimeSpan timeout)
    {
        const string Announcement = "Now listening on: ";
        var line = await WaitForOutputAsync(Announcement, timeout);
        return new Uri(line[(line.IndexOf(Announcement, StringComparison.Ordinal) + Announcement.Length)..].Split('"', ' ', ',')[0]);
    }

    /// <summary>Kills the process if it still runs.</summary>
    /// <exception cref="InvalidOperationException">The process crashed, and the test did not notice.</exception>
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

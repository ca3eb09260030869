using System.Diagnostics;

namespace Platform.Support.Tests;

/// <summary>Runs bash, as a person or a script would.</summary>
internal static class Shell
{
    /// <summary>Starts a script in a session of its own; what it prints goes to the end of one text.</summary>
    public static ShellRun Start(string script, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("setsid", ["--wait", "bash", "-c", script])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Repository.Root,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return new ShellRun(start);
    }

    /// <summary>Runs a script to its end, and returns what it printed.</summary>
    /// <exception cref="InvalidOperationException">The script failed.</exception>
    public static async Task<string> RunAsync(string script)
    {
        await using var run = Start(script);
        return await run.EndAsync(TimeSpan.FromMinutes(3)) == 0 ? run.Output : throw new InvalidOperationException(run.Output);
    }
}

/// <summary>A script that runs.</summary>
internal sealed class ShellRun : IAsyncDisposable
{
    private readonly Process process;
    private readonly List<string> lines = [];

    public ShellRun(ProcessStartInfo start)
    {
        process = new Process { StartInfo = start };
        process.OutputDataReceived += Capture;
        process.ErrorDataReceived += Capture;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
    }

    /// <summary>What it has printed so far, on both outputs.</summary>
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

    /// <summary>Waits for the end, and returns the exit code.</summary>
    public async Task<int> EndAsync(TimeSpan timeout)
    {
        using var limit = new CancellationTokenSource(timeout);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return process.ExitCode;
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"Not ended within {timeout}:{Environment.NewLine}{Output}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }

        process.Dispose();
    }

    private void Capture(object sender, DataReceivedEventArgs e)
    {
        if (e.Data is not null)
        {
            lock (lines)
            {
                lines.Add(e.Data);
            }
        }
    }
}

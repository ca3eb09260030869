using System.Diagnostics;

namespace Platform.Support;

/// <summary>A file system of its own for one test, small enough to be filled. Making it needs root.</summary>
public sealed class SmallDisk : IAsyncDisposable
{
    private readonly string mount = Servers.NewFolder("disk");

    private SmallDisk() { }

    /// <summary>A folder name, not created yet, on the disk.</summary>
    public string Folder => Path.Combine(mount, "server");

    private string Filler => Path.Combine(mount, "filler");

    /// <summary>Makes an empty disk in memory.</summary>
    /// <exception cref="SkipTestException">This process may not mount.</exception>
    public static async Task<SmallDisk> CreateAsync(int megabytes)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new SkipTestException("A disk that can be filled is mounted, which needs root.");
        }

        var disk = new SmallDisk();
        Directory.CreateDirectory(disk.mount);
        if (await RunAsync("mount", "-t", "tmpfs", "-o", $"size={megabytes}m,mode=711", "tmpfs", disk.mount) is { Length: > 0 } error)
        {
            Directory.Delete(disk.mount);
            throw new SkipTestException($"A disk that can be filled cannot be mounted here: {error}");
        }

        return disk;
    }

    /// <summary>Takes all that is left.</summary>
    /// <returns>How many bytes that was.</returns>
    public long Fill()
    {
        var piece = new byte[64 * 1024];
        using var filler = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
            {
                filler.Write(piece);
            }
        }
        catch (IOException)
        {
            return filler.Length;
        }
    }

    /// <summary>Gives back what <see cref="Fill"/> took.</summary>
    public void Free() => File.Delete(Filler);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await RunAsync("umount", "--lazy", mount);
        Directory.Delete(mount);
    }

    // Returns what the command complained of, or nothing.
    private static async Task<string> RunAsync(string command, params IEnumerable<string> arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(command, arguments) { UseShellExecute = false, RedirectStandardError = true }
        )!;
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? "" : $"{command}: {error.Trim()}";
    }
}

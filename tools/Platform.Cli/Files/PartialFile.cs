namespace Platform.Cli.Files;

/// <summary>
/// A file that appears under its name only when it is complete: it is written under another name in the same folder and then renamed.
/// Without a commit it is deleted. Devices and pipes under /dev and /proc are written to directly.
/// </summary>
internal sealed class PartialFile : IAsyncDisposable
{
    private readonly string destination;
    private readonly string? temporary;
    private readonly FileStream stream;
    private bool committed;

    private PartialFile(string destination, string? temporary)
    {
        this.destination = destination;
        this.temporary = temporary;
        stream = new FileStream(
            temporary ?? destination,
            new FileStreamOptions
            {
                Mode = temporary is null ? FileMode.Open : FileMode.CreateNew,
                Access = FileAccess.Write,
                // Other processes may use a device at the same time.
                Share = temporary is null ? FileShare.ReadWrite : FileShare.None,
                Options = FileOptions.Asynchronous,
                BufferSize = 0,
            }
        );
    }

    /// <summary>The stream to write the content to.</summary>
    public Stream Stream => stream;

    /// <exception cref="UsageException">The file cannot be created there.</exception>
    public static PartialFile Create(string path)
    {
        try
        {
            var named = Path.GetFullPath(path);
            // A symbolic link stays a link, and its target is replaced. A link under /proc has no target with a name and can only be
            // opened.
            var target = File.Exists(named) && !IsDevice(named) ? File.ResolveLinkTarget(named, returnFinalTarget: true)?.FullName : null;
            var complete = target ?? named;
            if (IsDevice(complete))
            {
                return new PartialFile(complete, temporary: null);
            }

            if (Directory.Exists(complete))
            {
                throw new UsageException($"'{path}' is a folder.");
            }

            var partial = $".{Path.GetFileName(complete)}.{Path.GetRandomFileName()}.part";
            return new PartialFile(complete, Path.Combine(Path.GetDirectoryName(complete) ?? "", partial));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"'{path}' cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Closes the file and gives it its name; replaces an existing file.</summary>
    /// <exception cref="UsageException">The rest could not be written, or the file could not be renamed.</exception>
    public async Task CommitAsync()
    {
        try
        {
            await stream.DisposeAsync();
            if (temporary is not null)
            {
                File.Move(temporary, destination, overwrite: true);
            }

            committed = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"'{destination}' cannot be written: {e.Message}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        if (temporary is not null && !committed)
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Whether the path is a device. To rename a file over a device would, as root, remove the device from the machine.</summary>
    private static bool IsDevice(string path) =>
        !OperatingSystem.IsWindows()
        && (
            path.StartsWith("/proc/", StringComparison.Ordinal)
            || (path.StartsWith("/dev/", StringComparison.Ordinal) && !path.StartsWith("/dev/shm/", StringComparison.Ordinal))
        );
}

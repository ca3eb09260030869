using System.Text;

namespace Platform.Cli.Files;

/// <summary>
/// A new file that only its owner can read. It is created before the secret is, so that a secret is not lost because its file cannot be
/// created. Without a commit it is deleted.
/// </summary>
internal sealed class SecretFile : IAsyncDisposable
{
    private readonly string path;
    private readonly FileStream stream;
    private bool committed;

    private SecretFile(string path, FileStream stream)
    {
        this.path = path;
        this.stream = stream;
    }

    /// <exception cref="UsageException">The file exists already, or cannot be created there.</exception>
    public static SecretFile Create(string path)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            return new SecretFile(path, new FileStream(path, options));
        }
        catch (IOException e) when (Path.Exists(path))
        {
            throw new UsageException($"'{path}' exists already. A key never replaces a file.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"'{path}' cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Writes the secret as one line, down to the disk, and keeps the file.</summary>
    /// <exception cref="IOException">The secret could not be written.</exception>
    public async Task CommitAsync(string secret)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes($"{secret}\n"), CancellationToken.None);
        stream.Flush(flushToDisk: true);
        committed = true;
    }

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        if (!committed)
        {
            File.Delete(path);
        }
    }
}

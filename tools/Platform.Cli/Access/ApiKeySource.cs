using System.Text;

namespace Platform.Cli.Access;

/// <summary>
/// Finds the key that the API asks for. No message shows what a file or a variable contains: it is a secret, and standard error ends up in
/// logs.
/// </summary>
internal static class ApiKeySource
{
    /// <summary>The option that names a key file. An option for the key itself would show it to everybody who lists processes.</summary>
    public const string FileOption = "--key-file";

    /// <summary>The variable that names a key file.</summary>
    public const string FileVariable = "PLATFORM_API_KEY_FILE";

    /// <summary>The variable that holds the key itself.</summary>
    public const string KeyVariable = "PLATFORM_API_KEY";

    /// <summary>The longest key file, in bytes.</summary>
    private const int MaxFileLength = 4096;

    private const string HeaderName = "Authorization:";
    private const string Scheme = "Bearer";

    /// <summary>Finds the key: in the file of the option, else in the file of its variable, else in the variable of the key.</summary>
    /// <param name="file">The value of <see cref="FileOption"/>; null when it is not there.</param>
    /// <param name="environment">Reads an environment variable. An empty one is as good as none.</param>
    /// <returns>The key; null when none is given.</returns>
    /// <exception cref="UsageException">A file cannot be read, or what was found cannot be a key.</exception>
    public static string? Find(string? file, Func<string, string?> environment) =>
        file is not null ? ReadFile(file, FileOption)
        : environment(FileVariable) is { Length: > 0 } named ? ReadFile(named, FileVariable)
        : environment(KeyVariable) is { Length: > 0 } key ? Check(key.Trim(), KeyVariable)
        : null;

    private static string ReadFile(string path, string source)
    {
        if (ApiKeyText.Contains(path))
        {
            throw new UsageException($"{source} takes the name of a file that holds the key, not the key itself.");
        }

        var name = $"{source} '{path}'";
        byte[] bytes;
        try
        {
            bytes = ReadBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"{name} cannot be read: {e.Message}", e);
        }

        if (bytes.Length > MaxFileLength)
        {
            throw new UsageException($"{name} is longer than {MaxFileLength} bytes, so it is not a key file.");
        }

        // Some editors and shells put a byte order mark before the text.
        using var text = new StreamReader(new MemoryStream(bytes), Encoding.UTF8, detectEncodingFromByteOrderMarks: true);
        return Check(WithoutHeader(text.ReadToEnd().Trim(), name), name);
    }

    /// <summary>Reads the file, but no more than shows that it is too long: it may be a device or a pipe, whose length is not known.</summary>
    private static byte[] ReadBytes(string path)
    {
        using var file = new FileStream(path, new FileStreamOptions { BufferSize = 0 });
        var buffer = new byte[MaxFileLength + 1];
        return buffer[..file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)];
    }

    /// <summary>Takes the key out of a line <c>Authorization: Bearer KEY</c>, as <c>curl -H @FILE</c> reads it.</summary>
    private static string WithoutHeader(string text, string source)
    {
        if (!text.StartsWith(HeaderName, StringComparison.OrdinalIgnoreCase))
        {
            return text;
        }

        var value = text[HeaderName.Length..].TrimStart();
        return value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && value[Scheme.Length..] is "" or [' ' or '\t', ..]
            ? value[Scheme.Length..].TrimStart()
            : throw new UsageException($"{source} is not a key: '{Scheme}' and the key are expected behind '{HeaderName}'.");
    }

    private static string Check(string key, string source) =>
        key.Length is 0 ? throw new UsageException($"{source} is empty: a key is expected.")
        : key.All(c => c is > ' ' and <= '~') ? key
        : throw new UsageException(
            $"{source} is not a key: it has spaces, line breaks or other characters that cannot stand in the header Authorization."
        );
}

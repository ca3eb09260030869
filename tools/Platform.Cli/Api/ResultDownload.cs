using System.Security.Cryptography;

namespace Platform.Cli.Api;

/// <summary>A result file that is about to be downloaded; nothing of its body has been read yet.</summary>
internal sealed class ResultDownload(
    HttpResponseMessage response,
    InactivityTimeout timeout,
    TimeSpan idle,
    string sha256,
    ApiErrors errors
) : IDisposable
{
    private const int ChunkLength = 128 * 1024;

    /// <summary>The name that the API suggests, without any folder; null when it suggests no usable name.</summary>
    public string? SuggestedName { get; } = LastSegment(response);

    /// <summary>The number of bytes; null when the API does not say.</summary>
    public long? Length => response.Content.Headers.ContentLength;

    /// <summary>The hash that the API announced, in hexadecimal.</summary>
    public string Sha256 => sha256;

    /// <summary>Copies the body and compares its hash with the announced one.</summary>
    /// <returns>The number of bytes.</returns>
    /// <exception cref="ApiUnavailableException">
    /// The connection broke off or was silent for too long, or the hash differs: discard the copy.
    /// </exception>
    public async Task<long> CopyToAsync(Stream destination, Action<long> received, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var body = await errors.GuardAsync(() => response.Content.ReadAsStreamAsync(timeout.Token), timeout, cancellationToken);
        var buffer = new byte[ChunkLength];
        var length = 0L;
        while (true)
        {
            // Only the wait for the API counts as inactivity, not a slow disk or reader on this side.
            timeout.Restart(idle);
            var count = await errors.GuardAsync(() => body.ReadAsync(buffer, timeout.Token).AsTask(), timeout, cancellationToken);
            timeout.Restart(Timeout.InfiniteTimeSpan);
            if (count is 0)
            {
                break;
            }

            hash.AppendData(buffer, 0, count);
            await destination.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
            length += count;
            received(length);
        }

        var actual = Convert.ToHexStringLower(hash.GetHashAndReset());
        return string.Equals(actual, sha256, StringComparison.OrdinalIgnoreCase)
            ? length
            : throw new ApiUnavailableException($"The download is damaged: its SHA-256 is {actual}, the API announced {sha256}.");
    }

    public void Dispose()
    {
        response.Dispose();
        timeout.Dispose();
    }

    /// <summary>Takes the last part of the suggested path: the server names the file, never the folder.</summary>
    private static string? LastSegment(HttpResponseMessage response)
    {
        var disposition = response.Content.Headers.ContentDisposition;
        var name = Terminal.TerminalText.Line(disposition?.FileNameStar ?? disposition?.FileName?.Trim('"'));
        name = name[(name.LastIndexOfAny(['/', '\\', ':']) + 1)..].Trim();
        return name is "" or "." or ".." ? null : name;
    }
}

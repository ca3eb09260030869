using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// The uploads and the downloads that this process serves at the same time (<see cref="FileUploadOptions.MaxConcurrent"/>). Each has its own
/// bound, so that slow downloads do not keep uploads out.
/// </summary>
internal sealed class FileTransfers(IOptions<FileUploadOptions> options, IOptions<DatabaseOptions> database) : IDisposable
{
    private readonly SemaphoreSlim uploads = new(options.Value.MaxConcurrent);
    private readonly SemaphoreSlim downloads = new(options.Value.MaxConcurrent);

    /// <summary>Begins an upload, which lasts until the result is disposed; null when there are too many.</summary>
    public Task<IDisposable?> TryBeginUploadAsync(CancellationToken cancellationToken) => TryBeginAsync(uploads, cancellationToken);

    /// <summary>Begins a download, which lasts until the result is disposed; null when there are too many.</summary>
    public Task<IDisposable?> TryBeginDownloadAsync(CancellationToken cancellationToken) => TryBeginAsync(downloads, cancellationToken);

    /// <summary>The answer to one too many.</summary>
    public static ProblemHttpResult TooMany(HttpResponse response)
    {
        ArgumentNullException.ThrowIfNull(response);
        response.Headers.RetryAfter = "2";
        return TypedResults.Problem(
            "Too many files are transferred at the moment (Files:MaxConcurrent). Try again.",
            statusCode: StatusCodes.Status503ServiceUnavailable
        );
    }

    /// <summary>The answer to one too many of one client.</summary>
    public static ProblemHttpResult TooManyOfOne(HttpResponse response) =>
        ClientLimits.TooMany(
            response,
            TimeSpan.FromSeconds(2),
            "This client transfers too many files at the moment (Access:MaxTransfers). Try again."
        );

    public void Dispose()
    {
        uploads.Dispose();
        downloads.Dispose();
    }

    private async Task<IDisposable?> TryBeginAsync(SemaphoreSlim transfers, CancellationToken cancellationToken) =>
        await transfers.WaitAsync(database.Value.AcquireTimeout, cancellationToken) ? new Transfer(transfers) : null;

    private sealed class Transfer(SemaphoreSlim transfers) : IDisposable
    {
        private SemaphoreSlim? held = transfers;

        public void Dispose() => Interlocked.Exchange(ref held, null)?.Release();
    }
}

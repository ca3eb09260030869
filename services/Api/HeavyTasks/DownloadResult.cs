using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.HeavyTasks;

internal static class DownloadResult
{
    /// <summary>The result file of a task that succeeded. Understands Range, If-Range, If-Match and If-None-Match; the ETag is the file's SHA-256.</summary>
    public static async Task<Results<FileStreamHttpResult, ProblemHttpResult>> HandleAsync(
        Guid id,
        HttpResponse response,
        PlatformDbContext db,
        IFileStore files,
        CancellationToken cancellationToken
    )
    {
        var closed = db.Files.Where(f => f.ClosedAt != null);
        var found = await db
            .HeavyTasks.AsNoTracking()
            .Where(t => t.Id == id)
            .Select(t => new { t.Status, File = closed.FirstOrDefault(f => f.Id == t.ResultFileId) })
            .SingleOrDefaultAsync(cancellationToken);
        if (found is null)
        {
            return GetHeavyTask.NotFound(id);
        }

        if (found is not { Status: HeavyTaskStatus.Succeeded, File: { } file })
        {
            return TypedResults.Problem(
                found.Status == HeavyTaskStatus.Succeeded
                    ? "The task has no result file."
                    : $"The task is {found.Status}; it has no result file yet.",
                statusCode: StatusCodes.Status404NotFound
            );
        }

        // The content comes from clients: a browser must take it for what it is declared to be.
        response.Headers.XContentTypeOptions = "nosniff";
        return TypedResults.File(
            files.OpenRead(file),
            file.ContentType,
            file.Name,
            entityTag: new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(file.Sha256!)}\""),
            enableRangeProcessing: true
        );
    }
}

using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;

namespace Platform.HeavyTasks.Http;

internal static class DownloadResult
{
    /// <summary>
    /// Downloads the result file of a task that succeeded. Supports Range, If-Range, If-Match and If-None-Match; the ETag is the file's
    /// SHA-256.
    /// </summary>
    public static async Task<Results<FileAnswer, ProblemHttpResult>> HandleAsync(
        Guid id,
        EngineContext engine,
        IFileStore files,
        FileTransfers transfers,
        ClientLimits limits,
        HttpContext http,
        CancellationToken cancellationToken
    )
    {
        var db = engine.Db;
        var closed = db.Files.Where(f => f.ClosedAt != null);
        var found = await db
            .HeavyTasks.AsNoTracking()
            .Of(http.User.TenantId())
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

        if (!http.SeesPayloads())
        {
            return TypedResults.Problem(
                "What tasks contain is for other clients (Access:PayloadRole).",
                statusCode: StatusCodes.Status403Forbidden
            );
        }

        if (!HttpMethods.IsHead(http.Request.Method))
        {
            if (limits.BeginDownload(http.User) is { } mine)
            {
                http.Response.RegisterForDispose(mine);
                if (!mine.IsAcquired)
                {
                    return FileTransfers.TooManyOfOne(http.Response);
                }
            }

            if (await transfers.TryBeginDownloadAsync(cancellationToken) is not { } transfer)
            {
                return FileTransfers.TooMany(http.Response);
            }

            http.Response.RegisterForDispose(transfer);
        }

        return new FileAnswer(
            TypedResults.File(
                files.OpenRead(file),
                file.ContentType,
                file.Name,
                entityTag: new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(file.Sha256!)}\""),
                enableRangeProcessing: true
            )
        );
    }

    /// <summary>Describes the content.</summary>
    public static Task DescribeAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        foreach (var (status, description) in new[] { ("200", "The whole file."), ("206", "The part of the file that Range asks for.") })
        {
            operation.Responses![status] = new OpenApiResponse
            {
                Description = description,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/octet-stream"] = new()
                    {
                        Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" },
                    },
                },
            };
        }

        operation.Responses!["304"] = new OpenApiResponse { Description = "The file is the one that If-None-Match names." };
        return Task.CompletedTask;
    }
}

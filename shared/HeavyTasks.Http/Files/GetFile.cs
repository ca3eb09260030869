using Microsoft.AspNetCore.Http.HttpResults;

namespace Platform.HeavyTasks.Http;

internal static class GetFile
{
    /// <summary>Describes an uploaded file; does not return its content.</summary>
    public static async Task<Results<JsonOk<UploadedFile>, ProblemHttpResult>> HandleAsync(
        Guid id,
        HttpContext http,
        IFileStore files,
        CancellationToken cancellationToken
    )
    {
        var file = await files.FindAsync(id, http.User.TenantId(), cancellationToken);
        return file is null
            ? TypedResults.Problem($"There is no file {id}.", statusCode: StatusCodes.Status404NotFound)
            : JsonAnswer.Ok(UploadedFile.From(file));
    }
}

/// <summary>A stored file.</summary>
/// <param name="Id">The id by which the parameters of a task refer to the file.</param>
/// <param name="Name">The file name.</param>
/// <param name="ContentType">The media type.</param>
/// <param name="Length">The length in bytes.</param>
/// <param name="Sha256">The SHA-256 of the content, in hexadecimal.</param>
/// <param name="CreatedAt">When the upload began (UTC).</param>
internal sealed record UploadedFile(Guid Id, string Name, string ContentType, long Length, string Sha256, DateTime CreatedAt)
{
    // The time is cut to microseconds, as the database keeps it, so that the answer to an upload equals every later answer.
    public static UploadedFile From(StoredFile file) =>
        new(
            file.Id,
            file.Name,
            file.ContentType,
            file.Length,
            Convert.ToHexStringLower(file.Sha256!),
            file.CreatedAt.AddTicks(-(file.CreatedAt.Ticks % TimeSpan.TicksPerMicrosecond))
        );
}

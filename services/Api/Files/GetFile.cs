using Microsoft.AspNetCore.Http.HttpResults;
using Platform.HeavyTasks;

namespace Platform.Api.Files;

internal static class GetFile
{
    /// <summary>What is known of an upload; not its content.</summary>
    public static async Task<Results<Ok<FileResponse>, ProblemHttpResult>> HandleAsync(
        Guid id,
        IFileStore files,
        CancellationToken cancellationToken
    )
    {
        var file = await files.FindAsync(id, cancellationToken);
        return file is null
            ? TypedResults.Problem($"There is no file {id}.", statusCode: StatusCodes.Status404NotFound)
            : TypedResults.Ok(FileResponse.From(file));
    }
}

/// <summary>A stored file.</summary>
/// <param name="Id">To be named in parameters of tasks.</param>
/// <param name="Name">File name.</param>
/// <param name="ContentType">Media type.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">SHA-256 of the content, in hexadecimal.</param>
/// <param name="CreatedAt">When the upload began (UTC).</param>
internal sealed record FileResponse(Guid Id, string Name, string ContentType, long Length, string Sha256, DateTime CreatedAt)
{
    // To the microsecond, which is what the database keeps: the answer to an upload is the same as a later one.
    public static FileResponse From(StoredFile file) =>
        new(
            file.Id,
            file.Name,
            file.ContentType,
            file.Length,
            Convert.ToHexStringLower(file.Sha256!),
            file.CreatedAt.AddTicks(-(file.CreatedAt.Ticks % TimeSpan.TicksPerMicrosecond))
        );
}

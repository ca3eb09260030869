using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Platform.Api.Problems;
using Platform.HeavyTasks;

namespace Platform.Api.Files;

internal static class UploadFile
{
    private const int MaxNameLength = 255;
    private const int MaxContentTypeLength = 255;

    /// <summary>Stores the body as a file. The body is streamed; what arrived of an upload that breaks off is deleted.</summary>
    /// <param name="name">File name without a path, 1 to 255 characters.</param>
    public static async Task<Results<Created<FileResponse>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        string? name,
        HttpRequest request,
        IFileStore files,
        IOptions<FileOptions> options,
        CancellationToken cancellationToken
    )
    {
        var errors = new FieldErrors();
        if (!IsFileName(name))
        {
            errors.Add("name", $"A file name is needed: 1 to {MaxNameLength} characters, without path separators and control characters.");
        }

        var contentType = string.IsNullOrEmpty(request.ContentType) ? "application/octet-stream" : request.ContentType;
        if (contentType.Length > MaxContentTypeLength || !MediaTypeHeaderValue.TryParse(contentType, out _))
        {
            errors.Add("Content-Type", $"The content type is not a media type of at most {MaxContentTypeLength} characters.");
        }

        if (errors.Any)
        {
            return errors.ToProblem();
        }

        var maxLength = options.Value.MaxLength;
        if (request.ContentLength > maxLength)
        {
            return TooLong(maxLength);
        }

        try
        {
            var file = await files.UploadAsync(name!, contentType, request.Body, maxLength, cancellationToken);
            return TypedResults.Created($"/files/{file.Id}", FileResponse.From(file));
        }
        catch (FileTooLongException)
        {
            return TooLong(maxLength);
        }
    }

    // Separators of every system: the name may be used on another one than this.
    private static bool IsFileName(string? name) =>
        !string.IsNullOrWhiteSpace(name)
        && name.Length <= MaxNameLength
        && name is not ("." or "..")
        && !name.Any(c => char.IsControl(c) || c is '/' or '\\');

    private static ProblemHttpResult TooLong(long maxLength) =>
        TypedResults.Problem(
            $"A file may have at most {maxLength:N0} bytes (Files:MaxLength).",
            statusCode: StatusCodes.Status413PayloadTooLarge
        );
}

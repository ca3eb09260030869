using System.ComponentModel.DataAnnotations;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;

namespace Platform.HeavyTasks.Http;

internal static class UploadFile
{
    private const int MaxNameLength = 255;
    private const int MaxContentTypeLength = 255;

    /// <summary>
    /// Uploads the body as a file. The body is streamed. If the upload breaks off, the part that arrived is deleted. A body with a
    /// Content-Encoding (gzip, deflate, br) is stored decompressed.
    /// </summary>
    /// <param name="name">The file name without a path, 1 to 255 characters.</param>
    public static async Task<Results<JsonCreated<UploadedFile>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        string? name,
        HttpRequest request,
        IFileStore files,
        IOptions<FileUploadOptions> options,
        FileTransfers transfers,
        ClientLimits limits,
        LinkGenerator links,
        CancellationToken cancellationToken
    )
    {
        var errors = new FieldErrors();
        errors.AddRepeated(request.Query, "name");
        if (!errors.Any && !IsFileName(name))
        {
            errors.Add("name", $"A file name is needed: 1 to {MaxNameLength} characters, without path separators and control characters.");
        }

        var contentType = string.IsNullOrEmpty(request.ContentType) ? "application/octet-stream" : request.ContentType;
        if (!IsMediaType(contentType))
        {
            errors.Add("Content-Type", $"The content type is not a media type of at most {MaxContentTypeLength} characters.");
        }

        if (contentType.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase))
        {
            return TypedResults.Problem(
                "The body is the file itself, without a form around it: curl --data-binary @users.csv -H 'Content-Type: text/csv' "
                    + "'.../files?name=users.csv'",
                statusCode: StatusCodes.Status415UnsupportedMediaType
            );
        }

        if (errors.Any)
        {
            return errors.ToProblem();
        }

        if (RequestBody.Open(request, out var body) is { } refusal)
        {
            return refusal;
        }

        var maxLength = options.Value.MaxLength;
        if (request.ContentLength > maxLength && !RequestBody.IsCompressed(request))
        {
            return TooLong(maxLength);
        }

        using var mine = limits.BeginUpload(request.HttpContext.User);
        if (mine is { IsAcquired: false })
        {
            return FileTransfers.TooManyOfOne(request.HttpContext.Response);
        }

        // Before anything of the body is read, so that a refusal costs neither side the transfer.
        using var transfer = await transfers.TryBeginUploadAsync(cancellationToken);
        if (transfer is null)
        {
            return FileTransfers.TooMany(request.HttpContext.Response);
        }

        try
        {
            var file = await files.UploadAsync(name!, contentType, request.HttpContext.User.TenantId(), body, maxLength, cancellationToken);
            return JsonAnswer.Created(links.FilePath(request.HttpContext, file.Id), UploadedFile.From(file));
        }
        catch (FileTooLongException)
        {
            return TooLong(maxLength);
        }
    }

    /// <summary>Describes the body, which the handler reads itself, and says that a name is needed.</summary>
    public static Task DescribeAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>().Where(p => p.Name == "name"))
        {
            parameter.Required = true;
            parameter.Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                MinLength = 1,
                MaxLength = MaxNameLength,
            };
            parameter.Example = "users.csv";
        }

        operation.RequestBody = new OpenApiRequestBody
        {
            Description = "The content of the file, of any media type.",
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/octet-stream"] = new()
                {
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" },
                },
            },
        };
        return Task.CompletedTask;
    }

    // The separators of every system are refused: the file may be used on another system.
    internal static bool IsFileName(string? name) =>
        !string.IsNullOrWhiteSpace(name)
        && name.Length <= MaxNameLength
        && name is not ("." or "..")
        && !name.Any(c => char.IsControl(c) || c is '/' or '\\')
        && StorableText.IsStorable(name);

    internal static bool IsMediaType(string text) =>
        text.Length <= MaxContentTypeLength && !text.Any(char.IsControl) && MediaTypeHeaderValue.TryParse(text, out _);

    private static ProblemHttpResult TooLong(long maxLength) =>
        TypedResults.Problem(
            $"A file may have at most {maxLength:N0} bytes (Files:MaxLength).",
            statusCode: StatusCodes.Status413PayloadTooLarge
        );
}

/// <summary>Limits uploads and downloads. Section <c>Files</c>.</summary>
public sealed class FileUploadOptions
{
    /// <summary>The longest upload, in bytes. Default 10 GiB; range 1 byte to 1 TiB.</summary>
    [Range(1L, 1L << 40)]
    public long MaxLength { get; set; } = 10L << 30;

    /// <summary>
    /// How many uploads, and how many downloads, one process serves at the same time; each needs less than 1 MiB of memory. One more waits
    /// up to <see cref="DatabaseOptions.AcquireTimeout"/> for its turn and is then answered 503. How many connections they use all together
    /// limits <c>Files:MaxConnections</c>. Default 250; range 1 to 10,000.
    /// </summary>
    [Range(1, 10_000)]
    public int MaxConcurrent { get; set; } = 250;
}

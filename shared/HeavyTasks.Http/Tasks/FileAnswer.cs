using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// A file, a part of it, or why not. The framework decides which; this adds what it leaves to do: it takes any unit of a range for bytes, and
/// answers 412 and 416 without a body.
/// </summary>
internal sealed partial class FileAnswer(FileStreamHttpResult file) : IResult, IEndpointMetadataProvider
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (request, response) = (httpContext.Request, httpContext.Response);

        // A range of another unit is ignored, and so is every range of another method than GET (RFC 9110, 14.2).
        if (!HttpMethods.IsGet(request.Method) || !IsOfBytes(request.Headers.Range.ToString()))
        {
            request.Headers.Range = default;
        }
        else
        {
            // The framework takes a range whose numbers are longer than its own for none.
            request.Headers.Range = Digits()
                .Replace(
                    request.Headers.Range.ToString(),
                    number => number.Value.TrimStart('0') is { Length: > LongestPosition } ? new string('9', LongestPosition) : number.Value
                );
        }

        // The content comes from clients, so a browser must trust only the declared type.
        response.Headers.XContentTypeOptions = "nosniff";
        await file.ExecuteAsync(httpContext);
        if (
            response.HasStarted
            || response.StatusCode is not (StatusCodes.Status412PreconditionFailed or StatusCodes.Status416RangeNotSatisfiable)
        )
        {
            return;
        }

        response.ContentType = null;
        response.ContentLength = null;
        response.Headers.Remove(HeaderNames.ContentDisposition);
        await TypedResults
            .Problem(
                response.StatusCode == StatusCodes.Status416RangeNotSatisfiable
                    ? "The range lies outside the file; Content-Range says how long the file is."
                    : "The file is not the one that If-Match or If-Unmodified-Since asks for.",
                statusCode: response.StatusCode
            )
            .ExecuteAsync(httpContext);
    }

    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder)
    {
        // DownloadResult.DescribeAsync describes the others.
        foreach (var status in (int[])[StatusCodes.Status412PreconditionFailed, StatusCodes.Status416RangeNotSatisfiable])
        {
            builder.Metadata.Add(
                new ProducesResponseTypeMetadata(status, typeof(Microsoft.AspNetCore.Mvc.ProblemDetails), ["application/problem+json"])
            );
        }
    }

    // As long as 999 PB.
    private const int LongestPosition = 18;

    [GeneratedRegex("[0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Digits();

    private static bool IsOfBytes(string range) => range.TrimStart().StartsWith("bytes=", StringComparison.OrdinalIgnoreCase);
}

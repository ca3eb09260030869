using System.IO.Compression;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Platform.HeavyTasks.Http;

/// <summary>Opens the body of a request as the client meant it: decompressed, and with every fault of it named as the client's.</summary>
internal static class RequestBody
{
    private const string Known = "gzip, deflate, br";

    // More than one compression is legal and useless; many would only cost memory.
    private const int MaxEncodings = 2;

    /// <summary>
    /// Makes the framework refuse compressed data that breaks off, unless the application has decided. By default it takes what came for the
    /// whole, and a file would be stored without its end.
    /// </summary>
    public static void RefuseTruncated()
    {
        const string Strict = "System.IO.Compression.UseStrictValidation";
        if (!AppContext.TryGetSwitch(Strict, out _))
        {
            AppContext.SetSwitch(Strict, isEnabled: true);
        }
    }

    /// <summary>
    /// Opens the body. A fault of it is a <see cref="BadHttpRequestException"/> of the read that meets it. Limits must be counted on what
    /// comes out.
    /// </summary>
    /// <returns>Why the body cannot be read (415), or null.</returns>
    public static ProblemHttpResult? Open(HttpRequest request, out Stream body)
    {
        body = new CheckedStream(request.Body, "The body is not framed as HTTP/1.1 says.");
        var encodings = Encodings(request);
        if (encodings.Count > MaxEncodings || encodings.Exists(encoding => Decompressed(encoding, Stream.Null) is null))
        {
            request.HttpContext.Response.Headers.AcceptEncoding = Known;
            return TypedResults.Problem(
                $"The Content-Encoding of a body is one of {Known}, or none.",
                statusCode: StatusCodes.Status415UnsupportedMediaType
            );
        }

        // Named in the order in which they were applied.
        foreach (var encoding in Enumerable.Reverse(encodings))
        {
            body = new CheckedStream(Decompressed(encoding, body)!, $"The body is not {encoding}, as its Content-Encoding says.");
        }

        return null;
    }

    /// <summary>Opens a body that must be JSON.</summary>
    /// <returns>Why the body cannot be read (415), or null.</returns>
    public static ProblemHttpResult? OpenJson(HttpRequest request, out Stream body)
    {
        if (IsJson(request))
        {
            return Open(request, out body);
        }

        body = Stream.Null;
        return TypedResults.Problem(
            "The content type must be application/json, in UTF-8.",
            statusCode: StatusCodes.Status415UnsupportedMediaType
        );
    }

    /// <summary>Whether the body is compressed, so that its length says nothing of the content's.</summary>
    public static bool IsCompressed(HttpRequest request) => Encodings(request).Count > 0;

    /// <summary>Whether the content type says JSON in UTF-8, the only encoding that JSON has between systems (RFC 8259).</summary>
    private static bool IsJson(HttpRequest request) =>
        request.HasJsonContentType()
        && MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && type.Parameters.Where(parameter => parameter.Name.Equals("charset", StringComparison.OrdinalIgnoreCase))
            .All(parameter => HeaderUtilities.UnescapeAsQuotedString(parameter.Value).Value is { } charset && IsUtf8(charset));

    private static bool IsUtf8(string charset) =>
        charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || charset.Equals("utf8", StringComparison.OrdinalIgnoreCase);

    // The server undoes chunks only, whatever else Transfer-Encoding names.
    private static List<string> Encodings(HttpRequest request) =>
        [
            .. request
                .Headers.ContentEncoding.Concat(request.Headers.TransferEncoding)
                .SelectMany(value => (value ?? "").Split(','))
                .Select(encoding => encoding.Trim().ToLowerInvariant())
                .Where(encoding => encoding is not ("" or "identity" or "chunked")),
        ];

    private static Stream? Decompressed(string encoding, Stream body) =>
        encoding switch
        {
            "gzip" or "x-gzip" => new GZipStream(body, CompressionMode.Decompress),
            "deflate" => new ZLibStream(body, CompressionMode.Decompress),
            "br" => new BrotliStream(body, CompressionMode.Decompress),
            _ => null,
        };

    // The server reports some malformed chunks, and every decompression its own faults, as if they were faults of this service.
    private sealed class CheckedStream(Stream inner, string fault) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return await inner.ReadAsync(buffer, cancellationToken);
            }
            catch (Exception exception)
                when (exception is IOException or InvalidDataException or InvalidOperationException
                    && exception is not (BadHttpRequestException or ConnectionResetException)
                )
            {
                throw new BadHttpRequestException(fault, StatusCodes.Status400BadRequest, exception);
            }
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}

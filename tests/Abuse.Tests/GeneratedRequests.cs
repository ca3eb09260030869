using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Platform.Abuse.Tests;

/// <summary>
/// Makes requests from the OpenAPI document: for each operation, mostly such that nearly everything is right and one thing is not.
/// </summary>
internal sealed class GeneratedRequests
{
    private static readonly string[] Texts =
    [
        "",
        " ",
        "a",
        "users.import",
        "users.statistics",
        "Queued",
        "Queued,Failed",
        "null",
        "true",
        "0",
        "-1",
        "1e999",
        "5.0",
        "9223372036854775808",
        "00000000-0000-0000-0000-000000000000",
        "01a21b0e-c686-73d3-9664-d97468726eae",
        "{01a21b0ec68673d39664d97468726eae}",
        "2027-02-30T25:61:00Z",
        "2027-03-01",
        "03/04/2027",
        "../../etc/passwd",
        "'; DROP TABLE users; --",
        "\"quoted\"",
        "<script>alert(1)</script>",
        "%00",
        "\0",
        "a\0b",
        "\u001b[2J",
        "\u202e\ufeff\u200b",
        "\ud83d\ude00",
        "\ud83d",
        "line\r\nbreak",
        new('x', 300),
        new('ä', 20_000),
    ];

    private static readonly string[] ContentTypes =
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json; charset=\"UTF-8\"",
        "application/json; charset=utf-16",
        "application/json; charset=x",
        "application/problem+json",
        "text/json",
        "text/csv",
        "text/plain",
        "multipart/form-data; boundary=b",
        "application/x-www-form-urlencoded",
        "nonsense",
        "*/*",
    ];

    private static readonly string[] Accepts =
    [
        "*/*",
        "application/json",
        "text/csv",
        "image/png",
        "text/html;q=0.1",
        "nonsense",
        "application/problem+json",
    ];

    private readonly Random random;
    private readonly List<Operation> operations = [];

    public GeneratedRequests(JsonElement document, int seed)
    {
        random = new Random(seed);
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var method in path.Value.EnumerateObject())
            {
                var parameters = method.Value.TryGetProperty("parameters", out var found)
                    ? found.EnumerateArray().Select(p => (p.GetProperty("name").GetString()!, p.GetProperty("in").GetString()!)).ToList()
                    : [];
                operations.Add(new Operation(path.Name, method.Name.ToUpperInvariant(), parameters));
            }
        }
    }

    public IReadOnlyList<string> Operations => [.. operations.Select(o => $"{o.Method} {o.Path}")];

    /// <summary>The next request; never the same object twice.</summary>
    public HttpRequestMessage Next()
    {
        var operation = operations[random.Next(operations.Count)];
        var path = operation.Path;
        var query = new List<string>();
        foreach (var (name, where) in operation.Parameters)
        {
            switch (where)
            {
                case "path":
                    path = path.Replace($"{{{name}}}", Uri.EscapeDataString(Storable(Id())), StringComparison.Ordinal);
                    break;
                case "query" when random.Next(3) > 0:
                    query.Add($"{name}={Uri.EscapeDataString(Storable(QueryValue(name)))}");
                    break;
            }
        }

        if (random.Next(20) == 0)
        {
            query.Add($"{Uri.EscapeDataString(Storable(Text()))}={Uri.EscapeDataString(Storable(Text()))}");
        }

        if (query.Count > 0 && random.Next(20) == 0)
        {
            query.Add(query[0]);
        }

        var method =
            random.Next(25) == 0 ? Pick(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "LOCK"]) : operation.Method;
        var request = new HttpRequestMessage(
            new HttpMethod(method),
            new Uri(query.Count > 0 ? $"{path}?{string.Join('&', query)}" : path, UriKind.Relative)
        );
        AddHeaders(request);
        if (method is "POST" or "PUT" or "PATCH")
        {
            AddBody(request, operation.Path);
        }

        return request;
    }

    private void AddHeaders(HttpRequestMessage request)
    {
        if (random.Next(3) == 0)
        {
            request.Headers.TryAddWithoutValidation("Accept", Pick(Accepts));
        }

        foreach (
            var name in new[]
            {
                "Idempotency-Key",
                "Range",
                "If-None-Match",
                "If-Match",
                "If-Modified-Since",
                "If-Range",
                "X-Forwarded-For",
                "traceparent",
            }
        )
        {
            if (random.Next(12) == 0)
            {
                request.Headers.TryAddWithoutValidation(name, HeaderValue(name));
            }
        }
    }

    private string HeaderValue(string name) =>
        random.Next(2) == 0
            ? new string([.. Text().Where(c => c is >= ' ' and <= '~').Take(400)])
            : name switch
            {
                "Range" => Pick(["bytes=0-1", "bytes=999999-", "bytes=-1", "bytes=5-2", "bytes=0-0,2-3", "lines=0-1", "bytes=a-b"]),
                "If-None-Match" or "If-Match" or "If-Range" => Pick(["*", "\"a\"", "W/\"a\"", "a", "\"a\", \"b\""]),
                _ => $"{random.NextInt64()}",
            };

    private void AddBody(HttpRequestMessage request, string path)
    {
        var body = path.StartsWith("/files", StringComparison.Ordinal) ? Encoding.UTF8.GetBytes(Text() + Text()) : Body();
        if (random.Next(30) == 0)
        {
            body = body[..random.Next(body.Length + 1)];
        }

        request.Content = new ByteArrayContent(body);
        if (random.Next(25) > 0)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Type", random.Next(4) > 0 ? "application/json" : Pick(ContentTypes));
        }

        if (random.Next(25) == 0)
        {
            request.Content.Headers.TryAddWithoutValidation(
                "Content-Encoding",
                Pick(["gzip", "br", "deflate", "zstd", "identity", "gzip, gzip, gzip", "x"])
            );
        }

        if (random.Next(40) == 0)
        {
            request.Headers.TransferEncodingChunked = true;
        }
    }

    // Member by member, so that also what no serializer writes can be in it.
    private byte[] Body()
    {
        if (random.Next(15) == 0)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            return bytes;
        }

        var members = new List<string>();
        Add("kind", random.Next(4) > 0 ? Json(Pick(["users.import", "users.export", "users.statistics"])) : Value(1));
        if (random.Next(4) > 0)
        {
            Add("parameters", Parameters());
        }

        if (random.Next(4) == 0)
        {
            Add("maxFailures", Value(1));
        }

        if (random.Next(4) == 0)
        {
            Add("dueAt", Value(1));
        }

        if (random.Next(10) == 0)
        {
            Add(Text(), Value(2));
        }

        if (random.Next(20) == 0)
        {
            members.Add(members[0]);
        }

        return Encoding.UTF8.GetBytes($"{{{string.Join(',', members)}}}");

        void Add(string name, string value) => members.Add($"{Json(name)}:{value}");
    }

    private string Parameters()
    {
        if (random.Next(6) == 0)
        {
            return Value(3);
        }

        string[] names =
        [
            "fileId",
            "columns",
            "onExisting",
            "delimiter",
            "encoding",
            "spreadsheet",
            "country",
            "signedUpFrom",
            "signedUpBefore",
            "other",
        ];
        var members = names.Where(_ => random.Next(3) == 0).Select(name => $"{Json(name)}:{(name == "columns" ? Columns() : Value(2))}");
        return $"{{{string.Join(',', members)}}}";
    }

    private string Columns() => $$"""{"externalId":{{Value(0)}},"name":{{Value(0)}},"email":{{Value(0)}}}""";

    private string Value(int depth) =>
        random.Next(depth > 0 ? 9 : 7) switch
        {
            0 => "null",
            1 => Pick(["true", "false"]),
            2 => Pick(["0", "-1", "5.0", "5e0", "1e400", "99999999999999999999999", "0.1", "-0"]),
            3 => "\"2027-01-02T03:04:05Z\"",
            7 => $"[{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Value(depth - 1)))}]",
            8 => random.Next(20) == 0
                ? new string('[', 200) + new string(']', 200)
                : $"{{{string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => $"{Json(Text())}:{Value(depth - 1)}"))}}}",
            _ => Json(Text()),
        };

    // JSON as a careless client writes it: half characters as escapes, control characters sometimes raw.
    private string Json(string text) =>
        random.Next(40) == 0
            ? $"\"{text}\""
            : "\"" + string.Concat(text.Select(c => c is < ' ' or '"' or '\\' || char.IsSurrogate(c) ? $"\\u{(int)c:x4}" : $"{c}")) + "\"";

    private string Id() => random.Next(2) == 0 ? Guid.CreateVersion7().ToString() : Text();

    private string QueryValue(string name) =>
        random.Next(3) == 0
            ? Text()
            : name switch
            {
                "limit" => $"{random.Next(-5, 300)}",
                "status" => Pick(["Queued", "queued", "Running", "Nothing", "1"]),
                "name" => "users.csv",
                _ => Text(),
            };

    private string Text() => Texts[random.Next(Texts.Length)];

    private string Pick(string[] values) => values[random.Next(values.Length)];

    // A URL cannot hold half a character.
    private static string Storable(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text))[..Math.Min(text.Length, 4_000)];

    private sealed record Operation(string Path, string Method, IReadOnlyList<(string Name, string In)> Parameters);
}

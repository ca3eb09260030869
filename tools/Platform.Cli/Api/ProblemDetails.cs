using System.Text.Json;

namespace Platform.Cli.Api;

/// <summary>An error answer of the API (RFC 9457), or what can be read from an error answer of another form.</summary>
internal sealed record ProblemDetails
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; init; }

    /// <summary>The kind of problem.</summary>
    public string? Title { get; init; }

    /// <summary>What is wrong in this case.</summary>
    public string? Detail { get; init; }

    /// <summary>The field names, and what is wrong with each field; empty when the problem is not about fields.</summary>
    public IReadOnlyList<(string Field, string Message)> Errors { get; init; } = [];

    /// <summary>The id that finds the request in the API's logs.</summary>
    public string? TraceId { get; init; }

    /// <summary>Reads a body leniently: proxies and crashed servers answer in other forms, and the status alone still says much.</summary>
    public static ProblemDetails Read(int status, string? reason, ReadOnlyMemory<byte> body)
    {
        var fallback = new ProblemDetails { Status = status, Title = reason };
        try
        {
            using var json = JsonDocument.Parse(body);
            var root = json.RootElement;
            return root.ValueKind is not JsonValueKind.Object
                ? fallback
                : new ProblemDetails
                {
                    Status = status,
                    Title = Text(root, "title") ?? reason,
                    Detail = Text(root, "detail"),
                    TraceId = Text(root, "traceId"),
                    Errors = FieldErrors(root),
                };
        }
        catch (JsonException)
        {
            return fallback;
        }
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    private static List<(string, string)> FieldErrors(JsonElement root)
    {
        var errors = new List<(string, string)>();
        if (root.TryGetProperty("errors", out var fields) && fields.ValueKind is JsonValueKind.Object)
        {
            foreach (var field in fields.EnumerateObject())
            {
                var messages = field.Value.ValueKind is JsonValueKind.Array ? field.Value.EnumerateArray() : default;
                foreach (var message in messages)
                {
                    errors.Add((field.Name, message.ToString()));
                }

                if (field.Value.ValueKind is not JsonValueKind.Array)
                {
                    errors.Add((field.Name, field.Value.ToString()));
                }
            }
        }

        return errors;
    }
}

using System.Text.Json;

namespace Platform.Cli.Api;

/// <summary>An error answer of the API (RFC 9457), or what could be made of an answer that is none.</summary>
internal sealed record ProblemDetails
{
    /// <summary>The HTTP status.</summary>
    public int Status { get; init; }

    /// <summary>What kind of problem.</summary>
    public string? Title { get; init; }

    /// <summary>What is wrong this time.</summary>
    public string? Detail { get; init; }

    /// <summary>Field names with what is wrong with each; empty when the problem is not about fields.</summary>
    public IReadOnlyList<(string Field, string Message)> Errors { get; init; } = [];

    /// <summary>Finds the request in the API's logs.</summary>
    public string? TraceId { get; init; }

    /// <summary>Reads a body leniently: proxies and crashed servers answer in other shapes, and the status alone still says much.</summary>
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

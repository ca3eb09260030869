using System.Text.Json;

namespace Platform.Cli.Terminal;

/// <summary>One parameter of a kind, as a line of a list.</summary>
/// <param name="Path">Its name, with the names of the objects around it: <c>columns.name</c>.</param>
/// <param name="Type">JSON type, format or the allowed values.</param>
/// <param name="IsRequired">Whether it must be given (if the object around it is).</param>
/// <param name="Description">What it means, if the schema says.</param>
internal sealed record ParameterLine(string Path, string Type, bool IsRequired, string Description);

/// <summary>Reads the part of JSON schema that parameter records use; what it does not know it leaves out.</summary>
internal static class ParameterSchema
{
    /// <summary>Objects in objects are followed so far.</summary>
    private const int MaxDepth = 4;

    /// <summary>The parameters in the schema's order.</summary>
    public static IEnumerable<ParameterLine> Read(JsonElement schema) => Read(schema, "", 0);

    private static IEnumerable<ParameterLine> Read(JsonElement schema, string prefix, int depth)
    {
        if (depth == MaxDepth || Member(schema, "properties") is not { ValueKind: JsonValueKind.Object } properties)
        {
            yield break;
        }

        var required = Member(schema, "required") is { ValueKind: JsonValueKind.Array } names
            ? names.EnumerateArray().Select(name => name.ToString()).ToHashSet(StringComparer.Ordinal)
            : [];
        foreach (var property in properties.EnumerateObject())
        {
            var path = prefix + property.Name;
            yield return new ParameterLine(
                path,
                Type(property.Value),
                required.Contains(property.Name),
                Text(property.Value, "description")
            );
            foreach (var inner in Read(property.Value, $"{path}.", depth + 1))
            {
                yield return inner;
            }
        }
    }

    private static string Type(JsonElement schema)
    {
        if (Member(schema, "enum") is { ValueKind: JsonValueKind.Array } values)
        {
            return string.Join('|', values.EnumerateArray().Where(value => value.ValueKind is not JsonValueKind.Null));
        }

        if (Text(schema, "format") is { Length: > 0 } format)
        {
            return format;
        }

        return Member(schema, "type") switch
        {
            { ValueKind: JsonValueKind.String } type => type.ToString(),
            { ValueKind: JsonValueKind.Array } types => string.Join('|', types.EnumerateArray().Where(type => !type.ValueEquals("null"))),
            _ => "",
        };
    }

    private static string Text(JsonElement schema, string name) =>
        Member(schema, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() ?? "" : "";

    private static JsonElement? Member(JsonElement schema, string name) =>
        schema.ValueKind is JsonValueKind.Object && schema.TryGetProperty(name, out var member) ? member : null;
}

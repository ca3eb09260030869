using System.Text.Json;

namespace Platform.Cli.Terminal;

/// <summary>One parameter of a kind, as one line of a list.</summary>
/// <param name="Path">The name of the parameter, after the names of the objects that contain it: <c>columns.name</c>.</param>
/// <param name="Type">The JSON type, the format or the allowed values.</param>
/// <param name="IsRequired">Whether it is required (if the object that contains it is given).</param>
/// <param name="Description">What it means, if the schema says so.</param>
internal sealed record ParameterLine(string Path, string Type, bool IsRequired, string Description);

/// <summary>Reads the part of JSON schema that parameter records use; ignores what it does not know.</summary>
internal static class ParameterSchema
{
    /// <summary>The depth to which nested objects are read.</summary>
    private const int MaxDepth = 4;

    /// <summary>Lists the parameters in the schema's order.</summary>
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
                $"{Type(property.Value)}{Limits(property.Value)}",
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

    /// <summary>What the schema demands of a value beside its type: <c> 1 to 100</c>, <c> of 2 to 80 characters</c>.</summary>
    private static string Limits(JsonElement schema)
    {
        var text = Range(schema, "minimum", "maximum", "", "");
        text += Range(schema, "exclusiveMinimum", "exclusiveMaximum", " between", "");
        text += Range(schema, "minLength", "maxLength", " of", " characters");
        text += Range(schema, "minItems", "maxItems", " of", " items");
        return Member(schema, "default") is { ValueKind: not JsonValueKind.Null } value ? $"{text} (default {value})" : text;
    }

    private static string Range(JsonElement schema, string least, string most, string before, string after) =>
        (Member(schema, least), Member(schema, most)) switch
        {
            ({ } min, { } max) when min.ToString() == max.ToString() => $"{before} {min}{after}",
            ({ } min, { } max) => $"{before} {min} to {max}{after}",
            ({ } min, null) => $"{before} {min} or more{after}",
            (null, { } max) => $"{before} up to {max}{after}",
            _ => "",
        };

    private static string Text(JsonElement schema, string name) =>
        Member(schema, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() ?? "" : "";

    private static JsonElement? Member(JsonElement schema, string name) =>
        schema.ValueKind is JsonValueKind.Object && schema.TryGetProperty(name, out var member) ? member : null;
}

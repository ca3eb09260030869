using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>How a value is entered.</summary>
internal enum FieldInput
{
    /// <summary>A line of text.</summary>
    Text,

    /// <summary>A number.</summary>
    Number,

    /// <summary>Yes or no.</summary>
    Boolean,

    /// <summary>One of some values.</summary>
    Choice,

    /// <summary>A file, which is uploaded; the value is its id.</summary>
    File,

    /// <summary>Members of its own.</summary>
    Group,

    /// <summary>Anything else, as JSON.</summary>
    Json,
}

/// <summary>One field of the form that a JSON schema describes.</summary>
/// <param name="Path">The names of the members down to this one, with dots between them, as errors name it.</param>
/// <param name="Name">The name of the member.</param>
/// <param name="Input">How it is entered.</param>
/// <param name="IsRequired">Whether it must be given.</param>
/// <param name="Choices">The values of a choice.</param>
/// <param name="Fields">The members of a group.</param>
internal sealed record FormField(
    string Path,
    string Name,
    FieldInput Input,
    bool IsRequired,
    IReadOnlyList<string> Choices,
    IReadOnlyList<FormField> Fields
)
{
    // Deeper members are entered as JSON.
    private const int MaxDepth = 3;

    /// <summary>The fields of a schema of an object; null when it is another schema, whose value is entered as JSON.</summary>
    public static IReadOnlyList<FormField>? Of(JsonNode schema) =>
        schema is JsonObject described && described["properties"] is JsonObject ? Members(described, "", 1) : null;

    /// <summary>Takes over what was submitted before.</summary>
    public static void Fill(IReadOnlyList<FormField> fields, JsonElement given, IDictionary<string, string> values)
    {
        foreach (var field in fields)
        {
            if (
                given.ValueKind != JsonValueKind.Object
                || !given.TryGetProperty(field.Name, out var value)
                || value.ValueKind == JsonValueKind.Null
            )
            {
                continue;
            }

            if (field.Input == FieldInput.Group)
            {
                Fill(field.Fields, value, values);
            }
            else
            {
                values[field.Path] =
                    value.ValueKind == JsonValueKind.String && field.Input != FieldInput.Json ? value.GetString()! : value.GetRawText();
            }
        }
    }

    /// <summary>Makes the parameters of what was entered; a field that was left empty is left out.</summary>
    /// <exception cref="JsonException">What was entered as JSON is none.</exception>
    public static JsonObject Build(IReadOnlyList<FormField> fields, IReadOnlyDictionary<string, string> values)
    {
        var built = new JsonObject();
        foreach (var field in fields)
        {
            if (field.Input == FieldInput.Group)
            {
                var group = Build(field.Fields, values);
                if (group.Count > 0 || field.IsRequired)
                {
                    built[field.Name] = group;
                }
            }
            else if (values.TryGetValue(field.Path, out var text) && text.Length > 0)
            {
                built[field.Name] = field.ValueOf(text);
            }
        }

        return built;
    }

    private JsonNode? ValueOf(string text) =>
        Input switch
        {
            FieldInput.Json => JsonNode.Parse(text),
            FieldInput.Boolean => text == "true",
            FieldInput.Number when decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
            _ => text,
        };

    private static List<FormField> Members(JsonObject schema, string path, int depth)
    {
        var required = (schema["required"] as JsonArray)?.Select(name => name?.GetValue<string>()).ToHashSet(StringComparer.Ordinal) ?? [];
        return
        [
            .. ((JsonObject)schema["properties"]!).Select(member =>
                Member(
                    member.Value,
                    path.Length == 0 ? member.Key : $"{path}.{member.Key}",
                    member.Key,
                    required.Contains(member.Key),
                    depth
                )
            ),
        ];
    }

    private static FormField Member(JsonNode? schema, string path, string name, bool isRequired, int depth)
    {
        if (schema is not JsonObject described)
        {
            return new FormField(path, name, FieldInput.Json, isRequired, [], []);
        }

        if (described["enum"] is JsonArray choices)
        {
            // A choice is sent as text; null is what is left empty.
            var values = choices.OfType<JsonValue>().ToList();
            return values.TrueForAll(value => value.GetValueKind() == JsonValueKind.String)
                ? new FormField(path, name, FieldInput.Choice, isRequired, [.. values.Select(value => value.GetValue<string>())], [])
                : new FormField(path, name, FieldInput.Json, isRequired, [], []);
        }

        var types = described["type"] switch
        {
            JsonValue one => [one.GetValue<string>()],
            JsonArray several => several.OfType<JsonValue>().Select(type => type.GetValue<string>()).Where(type => type != "null").ToList(),
            _ => [],
        };
        var input = types switch
        {
            ["object"] when described["properties"] is JsonObject && depth < MaxDepth => FieldInput.Group,
            ["string"] when (string?)described["format"] == "uuid" && name.EndsWith("FileId", StringComparison.OrdinalIgnoreCase) =>
                FieldInput.File,
            ["string"] => FieldInput.Text,
            ["boolean"] => FieldInput.Boolean,
            ["integer"] or ["number"] => FieldInput.Number,
            _ => FieldInput.Json,
        };
        return new FormField(path, name, input, isRequired, [], input == FieldInput.Group ? Members(described, path, depth + 1) : []);
    }
}

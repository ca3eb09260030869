using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Platform.Contracts;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Checks JSON by a schema and reports each wrong field as <see cref="RequestReader"/> does: by the name that the client wrote, in a sentence.
/// Also as there, names and enum values are read in any case. What is returned has them in the spelling, and members in the order, of the
/// schema, so that a repeat of a request is known for one.
/// </summary>
internal sealed class SchemaReader
{
    // A body has fewer values than a tenth of this. A schema whose alternatives contain each other could take any number of steps.
    private const int MaxSteps = 300_000;

    // Of the values that an answer names.
    private const int MaxNamedValues = 50;

    private int steps;

    private SchemaReader() { }

    /// <summary>Reads an object; null when something was added to <paramref name="errors"/>.</summary>
    public static string? Read(JsonElement json, SchemaNode schema, string path, FieldErrors errors)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            errors.Add(RequestJson.Shown(path), "An object is expected.");
            return null;
        }

        var found = new FieldErrors();
        var reader = new SchemaReader();
        var read = reader.ReadNode(json, schema, path, found);
        if (reader.steps >= MaxSteps)
        {
            errors.Add(RequestJson.Shown(path), "It has too many parts to be checked.");
            return null;
        }

        errors.AddAll(found);
        return found.Any ? null : read!.ToJsonString(RequestJson.Options);
    }

    private JsonNode? ReadNode(JsonElement json, SchemaNode schema, string path, FieldErrors errors)
    {
        if (++steps >= MaxSteps || errors.IsFull)
        {
            return null;
        }

        if (schema.Other is { } other)
        {
            return ReadNode(json, other, path, errors);
        }

        if (schema.Values is { } values)
        {
            return ReadValue(json, values, path, errors);
        }

        if ((schema.Types & TypesOf(json)) == JsonTypes.None)
        {
            errors.Add(
                RequestJson.Shown(path),
                json.ValueKind == JsonValueKind.Null ? "It cannot be null." : $"{Expectation(schema)} is expected."
            );
            return null;
        }

        var read = json.ValueKind switch
        {
            JsonValueKind.Object => ReadObject(json, schema, path, errors),
            JsonValueKind.Array => ReadArray(json, schema, path, errors),
            _ => ReadPlain(json, schema, path, errors),
        };
        return schema.AnyOf.Count == 0 || errors.Any ? read : ReadAlternative(json, schema.AnyOf, path, errors);
    }

    private static JsonNode? ReadPlain(JsonElement json, SchemaNode schema, string path, FieldErrors errors)
    {
        if (json.ValueKind == JsonValueKind.String)
        {
            CheckText(json, schema, path, errors);
        }
        else if (json.ValueKind == JsonValueKind.Number && (schema.Min?.Allows(json, 1) == false || schema.Max?.Allows(json, -1) == false))
        {
            errors.Add(RequestJson.Shown(path), $"{Expectation(schema)} is expected.");
        }

        return Copy(json);
    }

    private JsonObject ReadObject(JsonElement json, SchemaNode schema, string path, FieldErrors errors)
    {
        var known = new SortedList<int, (string Name, JsonNode? Value)>();
        var others = new List<KeyValuePair<string, JsonNode?>>();
        foreach (var member in json.EnumerateObject())
        {
            var name = RequestJson.Join(path, RequestJson.ShownName(member));
            if (!schema.Members.TryGetValue(member.Name, out var described))
            {
                if (schema.Others == SchemaNode.Never)
                {
                    errors.Add(name, "There is no such field.");
                }
                else
                {
                    others.Add(new(member.Name, schema.Others is { } any ? ReadNode(member.Value, any, name, errors) : Copy(member.Value)));
                }
            }
            else if (!known.TryAdd(described.Order, (described.Name, ReadNode(member.Value, described.Schema, name, errors))))
            {
                // In another case: names are read in any.
                errors.Add(name, RequestJson.Twice);
            }
        }

        foreach (var name in schema.Required)
        {
            var isThere = schema.Members.TryGetValue(name, out var described)
                ? known.ContainsKey(described.Order)
                : others.Any(member => member.Key == name);
            if (!isThere)
            {
                errors.Add(RequestJson.Join(path, name), "Required.");
            }
        }

        var read = new JsonObject();
        foreach (
            var (name, value) in known.Values.Select(member => (member.Name, member.Value)).Concat(others.Select(m => (m.Key, m.Value)))
        )
        {
            read[name] = value;
        }

        return read;
    }

    private JsonArray ReadArray(JsonElement json, SchemaNode schema, string path, FieldErrors errors)
    {
        var length = json.GetArrayLength();
        if (length < schema.MinItems || length > schema.MaxItems)
        {
            errors.Add(RequestJson.Shown(path), $"An array of {Bounds(schema.MinItems, schema.MaxItems)} items is expected.");
        }

        var read = new JsonArray();
        foreach (var (index, item) in json.EnumerateArray().Index())
        {
            read.Add(schema.Items is { } items ? ReadNode(item, items, $"{path}[{index}]", errors) : Copy(item));
        }

        return read;
    }

    // An alternative says what is wrong with itself, and nobody knows which one the client meant.
    private JsonNode? ReadAlternative(JsonElement json, List<SchemaNode> alternatives, string path, FieldErrors errors)
    {
        foreach (var alternative in alternatives)
        {
            var wrong = new FieldErrors();
            var read = ReadNode(json, alternative, path, wrong);
            if (!wrong.Any)
            {
                return read;
            }
        }

        errors.Add(RequestJson.Shown(path), "It has none of the forms that are expected.");
        return null;
    }

    private static JsonNode? ReadValue(JsonElement json, List<JsonElement> values, string path, FieldErrors errors)
    {
        foreach (var value in values)
        {
            var isMeant =
                json.ValueKind == JsonValueKind.String && value.ValueKind == JsonValueKind.String
                    ? string.Equals(json.GetString(), value.GetString(), StringComparison.OrdinalIgnoreCase)
                    : JsonElement.DeepEquals(json, value);
            if (isMeant)
            {
                return Copy(value);
            }
        }

        var named = values.Where(value => value.ValueKind != JsonValueKind.Null).ToList();
        var more = named.Count > MaxNamedValues ? ", ..." : "";
        errors.Add(
            RequestJson.Shown(path),
            json.ValueKind == JsonValueKind.Null
                ? "It cannot be null."
                : $"One of {string.Join(", ", named.Take(MaxNamedValues))}{more} is expected."
        );
        return null;
    }

    private static void CheckText(JsonElement json, SchemaNode schema, string path, FieldErrors errors)
    {
        // The length that the worker counts, in UTF-16 units.
        var text = json.GetString()!;
        if (text.Length < schema.MinLength || text.Length > schema.MaxLength)
        {
            errors.Add(RequestJson.Shown(path), $"A text of {Bounds(schema.MinLength, schema.MaxLength)} characters is expected.");
        }
        else if (!HasFormat(json, schema.Format))
        {
            errors.Add(RequestJson.Shown(path), $"{Expectation(schema)} is expected.");
        }
        else if (schema.Pattern is { } pattern && !Matches(pattern, text))
        {
            errors.Add(
                RequestJson.Shown(path),
                pattern.ToString() == ParameterSchema.NotBlank ? "It cannot be blank." : $"A text that matches {pattern} is expected."
            );
        }
    }

    private static bool Matches(Regex pattern, string text)
    {
        try
        {
            return pattern.IsMatch(text);
        }
        catch (RegexMatchTimeoutException)
        {
            return false;
        }
    }

    private static bool HasFormat(JsonElement json, string? format) =>
        format switch
        {
            "uuid" => json.TryGetGuid(out _),
            "date-time" => UtcTime.TryParse(json.GetString(), out _),
            "date" => DateOnly.TryParseExact(json.GetString(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
            _ => true,
        };

    private static string Expectation(SchemaNode schema) =>
        (schema.Types & ~JsonTypes.Null) switch
        {
            JsonTypes.String => schema.Format switch
            {
                "uuid" => "A UUID",
                "date-time" => "A time (ISO 8601)",
                "date" => "A date (yyyy-MM-dd)",
                _ => "A text",
            },
            JsonTypes.Boolean => "True or false",
            JsonTypes.Integer => $"A whole number{Limits(schema)}",
            JsonTypes.Number => $"A number{Limits(schema)}",
            JsonTypes.Array => "An array",
            JsonTypes.Object => "An object",
            _ => "A value of another type",
        };

    private static string Limits(SchemaNode schema) =>
        (schema.Min, schema.Max) switch
        {
            (null, null) => "",
            ({ IsExclusive: false } min, { IsExclusive: false } max) => $" from {min.Value} to {max.Value}",
            ({ } min, { } max) => $" {Above(min)} and {Below(max)}",
            ({ } min, null) => $" {Above(min)}",
            (null, { } max) => $" {Below(max)}",
        };

    private static string Above(NumberLimit min) => min.IsExclusive ? $"above {min.Value}" : $"of at least {min.Value}";

    private static string Below(NumberLimit max) => max.IsExclusive ? $"below {max.Value}" : $"of at most {max.Value}";

    private static string Bounds(int min, int max) =>
        max == int.MaxValue ? $"at least {min}"
        : min == max ? $"{min}"
        : $"{min} to {max}";

    private static JsonTypes TypesOf(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.Null => JsonTypes.Null,
            JsonValueKind.True or JsonValueKind.False => JsonTypes.Boolean,
            JsonValueKind.String => JsonTypes.String,
            JsonValueKind.Array => JsonTypes.Array,
            JsonValueKind.Object => JsonTypes.Object,
            // RequestJson has written whole numbers with digits only.
            _ => json.GetRawText().AsSpan().IndexOfAny(".eE") < 0 ? JsonTypes.Integer | JsonTypes.Number : JsonTypes.Number,
        };

    private static JsonNode? Copy(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.Object => JsonObject.Create(json),
            JsonValueKind.Array => JsonArray.Create(json),
            _ => JsonValue.Create(json),
        };
}

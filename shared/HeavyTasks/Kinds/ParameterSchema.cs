using System.ComponentModel.DataAnnotations;
using System.Numerics;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>
/// Makes the JSON schema of a parameter record: what the API lists for it, what a worker announces, and what parameters are checked by where
/// the record is not known. It says what the reader of the record enforces, as far as a schema can.
/// </summary>
internal static class ParameterSchema
{
    /// <summary>The pattern of a text that must not be blank.</summary>
    public const string NotBlank = @"\S";

    private static readonly JsonSchemaExporterOptions Export = new()
    {
        TreatNullObliviousAsNonNullable = true,
        TransformSchemaNode = AddLimits,
    };

    /// <summary>
    /// The options that the API reads records with: as <see cref="HeavyTaskJson.Options"/>, but a member that the record does not have is
    /// refused, while the client can still be told.
    /// </summary>
    public static JsonSerializerOptions ReaderOptions { get; } = CreateOptions();

    /// <summary>Makes the schema of a record.</summary>
    public static JsonNode Of(Type parameters) => ReaderOptions.GetTypeInfo(parameters).GetJsonSchemaAsNode(Export);

    private static JsonSerializerOptions CreateOptions()
    {
        var options = new JsonSerializerOptions(HeavyTaskJson.Options) { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    private static JsonNode AddLimits(JsonSchemaExporterContext context, JsonNode schema)
    {
        var read = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        schema = AddConverted(schema, context.TypeInfo.Type, context.TypeInfo.Options);

        // True: anything is valid.
        if (schema is not JsonObject described)
        {
            return schema;
        }

        // Another place of the schema has its limits already; and bytes are text in JSON, but not as long.
        if (described.ContainsKey("$ref") || read == typeof(byte[]))
        {
            return described;
        }

        AddLimitsOfType(described, read);
        AddLimits(described, context.PropertyInfo);
        AddMissing(described, context.TypeInfo);
        AddRequired(described, context.TypeInfo);
        return described;
    }

    private static void AddLimits(JsonObject schema, JsonPropertyInfo? property)
    {
        foreach (var attribute in Annotations(property).OrderBy(attribute => attribute is RequiredAttribute))
        {
            AddLimit(schema, attribute);
        }
    }

    // The exporter knows nothing of what a converter reads.
    private static JsonNode AddConverted(JsonNode schema, Type type, JsonSerializerOptions options)
    {
        var read = Nullable.GetUnderlyingType(type) ?? type;
        return read.IsEnum ? EnumSchema(read, nullable: read != type, options)
            : read == typeof(DateTime) || read == typeof(DateTimeOffset) ? TimeSchema(schema, nullable: read != type)
            : schema;
    }

    // Of a parameter of a constructor that has a default, and that a converter reads, the exporter says the default only, and asks for no more.
    private static void AddMissing(JsonObject schema, JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object || schema["properties"] is not JsonObject members)
        {
            return;
        }

        foreach (var property in type.Properties)
        {
            if (
                property.AssociatedParameter is { HasDefaultValue: true }
                && members[property.Name] is JsonObject { Count: 1 } member
                && member.TryGetPropertyValue("default", out var value)
                && AddConverted(member, property.PropertyType, type.Options) is JsonObject added
                && added != member
            )
            {
                added["default"] = value?.DeepClone();
                AddLimits(added, property);
                members[property.Name] = added;
            }
        }
    }

    private static IEnumerable<ValidationAttribute> Annotations(JsonPropertyInfo? property) =>
        (property?.AttributeProvider?.GetCustomAttributes(typeof(ValidationAttribute), inherit: true) ?? []).Cast<ValidationAttribute>();

    private static void AddLimit(JsonObject schema, ValidationAttribute attribute)
    {
        switch (attribute)
        {
            case StringLengthAttribute length:
                schema["minLength"] = length.MinimumLength;
                schema["maxLength"] = length.MaximumLength;
                break;
            case MaxLengthAttribute { Length: > 0 } max when IsText(schema) || IsArray(schema):
                schema[IsText(schema) ? "maxLength" : "maxItems"] = max.Length;
                break;
            case MinLengthAttribute min when IsText(schema) || IsArray(schema):
                schema[IsText(schema) ? "minLength" : "minItems"] = min.Length;
                break;
            case RangeAttribute { OperandType: var type } range when type != typeof(string):
                // Limits that were written as text become numbers when the attribute is first used.
                range.IsValid(null);
                AddLimit(schema, range.MinimumIsExclusive ? "exclusiveMinimum" : "minimum", range.Minimum);
                AddLimit(schema, range.MaximumIsExclusive ? "exclusiveMaximum" : "maximum", range.Maximum);
                break;
            case RegularExpressionAttribute pattern:
                schema["pattern"] = WholeText(pattern.Pattern);
                break;
            case RequiredAttribute required:
                Require(schema, required);
                break;
        }
    }

    private static void AddLimit(JsonObject schema, string keyword, object limit)
    {
        if (limit is int or long or decimal || (limit is double number && double.IsFinite(number)))
        {
            schema[keyword] = JsonValue.Create(limit);
        }
    }

    // The attribute asks for the whole text to match and accepts an empty one; a pattern in a schema is looked for anywhere.
    private static string WholeText(string pattern) => $"^(?:{pattern})?$";

    /// <summary>The attribute refuses null, and text that is blank.</summary>
    private static void Require(JsonObject schema, RequiredAttribute required)
    {
        if (schema["type"] is JsonArray types)
        {
            var others = types.Select(type => (string?)type).Where(type => type != "null").ToList();
            schema["type"] = others.Count == 1 ? others[0] : new JsonArray([.. others.Select(type => JsonValue.Create(type))]);
        }

        if (schema["enum"] is JsonArray values)
        {
            schema["enum"] = new JsonArray([.. values.Where(value => value is not null).Select(value => value!.DeepClone())]);
        }

        if (IsText(schema) && schema["enum"] is null && schema["format"] is null && !required.AllowEmptyStrings)
        {
            schema["minLength"] = Math.Max(1, (int?)schema["minLength"] ?? 0);
            schema.TryAdd("pattern", NotBlank);
        }
    }

    private static bool IsText(JsonObject schema) => IsOf(schema, "string");

    private static bool IsArray(JsonObject schema) => IsOf(schema, "array");

    private static bool IsOf(JsonObject schema, string name) =>
        schema["type"] switch
        {
            JsonArray types => types.Any(type => (string?)type == name),
            { } type => (string?)type == name,
            null => false,
        };

    // A member with a default may be left out. One without is null then, which the attribute refuses.
    private static void AddRequired(JsonObject schema, JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object || schema["properties"] is not JsonObject)
        {
            return;
        }

        var required = schema["required"] as JsonArray ?? [];
        var named = required.Select(name => (string?)name).ToHashSet(StringComparer.Ordinal);
        foreach (var property in type.Properties)
        {
            if (HasNoDefault(property) && Annotations(property).Any(a => a is RequiredAttribute) && named.Add(property.Name))
            {
                required.Add((JsonNode)property.Name);
            }
        }

        if (required.Count > 0 && required.Parent is null)
        {
            schema["required"] = required;
        }
    }

    private static bool HasNoDefault(JsonPropertyInfo property) =>
        property.AssociatedParameter is { } parameter
            ? !parameter.HasDefaultValue && !property.PropertyType.IsValueType
            : property.IsSetNullable
                && (!property.PropertyType.IsValueType || Nullable.GetUnderlyingType(property.PropertyType) is not null);

    /// <summary>A number that the type cannot hold is refused by the reader, so the schema says what the type holds.</summary>
    private static void AddLimitsOfType(JsonObject schema, Type type)
    {
        if (!IsWholeNumber(type) || type.GetField("MinValue")?.GetValue(null) is not { } min)
        {
            return;
        }

        schema["minimum"] = JsonNode.Parse($"{min}");
        schema["maximum"] = JsonNode.Parse($"{type.GetField("MaxValue")!.GetValue(null)}");
    }

    private static bool IsWholeNumber(Type type) =>
        type.IsPrimitive
        && type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IBinaryInteger<>))
        && type != typeof(char);

    private static JsonObject TimeSchema(JsonNode schema, bool nullable)
    {
        JsonNode isTime = nullable ? new JsonArray("string", "null") : "string";
        var time = new JsonObject { ["type"] = isTime, ["format"] = "date-time" };
        if (schema is JsonObject described)
        {
            foreach (var (name, member) in described)
            {
                time.TryAdd(name, member?.DeepClone());
            }
        }

        return time;
    }

    private static JsonObject EnumSchema(Type type, bool nullable, JsonSerializerOptions options)
    {
        // A list of names where several may stand in one text.
        if (type.IsDefined(typeof(FlagsAttribute), inherit: false))
        {
            return new JsonObject { ["type"] = nullable ? new JsonArray("string", "null") : "string" };
        }

        var values = new JsonArray([.. Enum.GetValuesAsUnderlyingType(type).Cast<object>().Select(v => Name(Enum.ToObject(type, v)))]);
        if (nullable)
        {
            values.Add(null);
        }

        return new JsonObject { ["type"] = nullable ? new JsonArray("string", "null") : "string", ["enum"] = values };

        JsonNode? Name(object value) => JsonSerializer.SerializeToNode(value, options.GetTypeInfo(type));
    }
}

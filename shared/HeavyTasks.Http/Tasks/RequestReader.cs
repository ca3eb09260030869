using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Turns JSON into a record, checks the data annotations at every depth, and reports each wrong field by the name that the client wrote.
/// </summary>
internal static class RequestReader
{
    /// <summary>Reads a record; null when something was added to <paramref name="errors"/>.</summary>
    /// <param name="json">What the client sent, as <see cref="RequestJson.ReadAsync"/> returned it.</param>
    /// <param name="type">The type of the record, with the options to read it with.</param>
    /// <param name="path">The name of <paramref name="json"/> in the request; empty for the body itself.</param>
    /// <param name="errors">Receives what is wrong.</param>
    public static object? Read(JsonElement json, JsonTypeInfo type, string path, FieldErrors errors)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            errors.Add(RequestJson.Shown(path), "An object is expected.");
            return null;
        }

        try
        {
            var value = json.Deserialize(type)!;
            Validate(value, json, type, path, errors);
            return errors.Any ? null : value;
        }
        catch (JsonException exception)
        {
            // The serializer stops at the first error and names .NET types; the client gets all errors, in its own terms.
            Explain(json, type, path, errors);
            if (!errors.Any)
            {
                errors.Add(RequestJson.Shown(path), $"Not valid at {exception.Path}.");
            }

            return null;
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException)
        {
            // The record itself refuses a value, in its constructor or in a setter.
            errors.Add(RequestJson.Shown(path), "A value is not valid.");
            return null;
        }
    }

    private static void Validate(object value, JsonElement json, JsonTypeInfo type, string path, FieldErrors errors)
    {
        if (type.Kind == JsonTypeInfoKind.Enumerable)
        {
            ValidateItems(value, json, type, path, errors);
        }

        if (type.Kind != JsonTypeInfoKind.Object)
        {
            return;
        }

        var written = Written(json, type);
        foreach (var result in Faults(value, type, written))
        {
            foreach (var member in result.MemberNames.DefaultIfEmpty())
            {
                errors.Add(RequestJson.Join(path, NameOf(type, member, written)), result.ErrorMessage ?? "Not valid.");
            }
        }

        foreach (var property in type.Properties)
        {
            if (property.Get?.Invoke(value) is { } nested and not string)
            {
                var member = written.GetValueOrDefault(property.Name);
                var propertyType = type.Options.GetTypeInfo(property.PropertyType);
                Validate(nested, member.Value, propertyType, RequestJson.Join(path, member.Name ?? property.Name), errors);
            }
        }
    }

    private static void ValidateItems(object value, JsonElement json, JsonTypeInfo type, string path, FieldErrors errors)
    {
        var itemType = type.Options.GetTypeInfo(type.ElementType!);
        var written = json.ValueKind == JsonValueKind.Array ? json.EnumerateArray().ToList() : [];
        var index = 0;
        foreach (var item in (System.Collections.IEnumerable)value)
        {
            if (item is not null)
            {
                Validate(item, written.ElementAtOrDefault(index), itemType, $"{path}[{index}]", errors);
            }
            else if (Nullable.GetUnderlyingType(itemType.Type) is null)
            {
                // The serializer accepts a null item, because nullability of list items is not known at run time.
                errors.Add($"{path}[{index}]", "It cannot be null.");
            }

            index++;
        }
    }

    /// <summary>
    /// Does what <see cref="Validator"/> does, in its order, but the texts name a member as the client wrote it and not as the record has it.
    /// </summary>
    private static List<ValidationResult> Faults(
        object value,
        JsonTypeInfo type,
        Dictionary<string, (string Name, JsonElement Value)> written
    )
    {
        var faults = new List<ValidationResult>();
        foreach (var property in type.Properties)
        {
            if (property.AttributeProvider is PropertyInfo info && property.Get is { } get)
            {
                var name = written.GetValueOrDefault(property.Name).Name ?? property.Name;
                var context = new ValidationContext(value) { MemberName = info.Name, DisplayName = name };
                Check(get(value), context, info, faults);
            }
        }

        if (faults.Count == 0)
        {
            Check(value, new ValidationContext(value), type.Type, faults);
        }

        if (faults.Count == 0 && value is IValidatableObject rules)
        {
            faults.AddRange(rules.Validate(new ValidationContext(value)).Where(fault => fault != ValidationResult.Success));
        }

        return faults;
    }

    private static void Check(object? value, ValidationContext context, MemberInfo annotated, List<ValidationResult> faults)
    {
        var attributes = annotated.GetCustomAttributes<ValidationAttribute>(inherit: true).ToList();

        // What is missing is not also too short.
        if (attributes.OfType<RequiredAttribute>().FirstOrDefault()?.GetValidationResult(value, context) is { } missing)
        {
            faults.Add(missing);
            return;
        }

        foreach (var attribute in attributes.Where(attribute => attribute is not RequiredAttribute))
        {
            if (attribute.GetValidationResult(value, context) is { } fault)
            {
                faults.Add(fault);
            }
        }
    }

    private static void Explain(JsonElement json, JsonTypeInfo type, string path, FieldErrors errors)
    {
        if (type.Kind == JsonTypeInfoKind.Object && json.ValueKind == JsonValueKind.Object)
        {
            ExplainObject(json, type, path, errors);
        }
        else if (type.Kind == JsonTypeInfoKind.Enumerable && json.ValueKind == JsonValueKind.Array)
        {
            var itemType = type.Options.GetTypeInfo(type.ElementType!);
            foreach (var (index, item) in json.EnumerateArray().Index())
            {
                Explain(item, itemType, $"{path}[{index}]", errors);
            }
        }
        else
        {
            try
            {
                json.Deserialize(type);
            }
            catch (Exception exception) when (exception is JsonException or ArgumentException or FormatException or OverflowException)
            {
                errors.Add(RequestJson.Shown(path), $"{Expectation(Nullable.GetUnderlyingType(type.Type) ?? type.Type)} is expected.");
            }
        }
    }

    private static void ExplainObject(JsonElement json, JsonTypeInfo type, string path, FieldErrors errors)
    {
        var missing = type.Properties.Where(p => p.IsRequired).Select(p => p.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var seen = new HashSet<JsonPropertyInfo>();
        foreach (var member in json.EnumerateObject())
        {
            var name = RequestJson.Join(path, RequestJson.ShownName(member));
            missing.Remove(member.Name);
            if (Property(type, member.Name) is not { } property)
            {
                errors.Add(name, "There is no such field.");
            }
            else if (!seen.Add(property))
            {
                // In another case: names are read in any.
                errors.Add(name, RequestJson.Twice);
            }
            else if (member.Value.ValueKind == JsonValueKind.Null && !property.IsSetNullable)
            {
                errors.Add(name, "It cannot be null.");
            }
            else
            {
                Explain(member.Value, type.Options.GetTypeInfo(property.PropertyType), name, errors);
            }
        }

        foreach (var name in missing)
        {
            errors.Add(RequestJson.Join(path, name), "Required.");
        }
    }

    private static string Expectation(Type type) =>
        type.IsEnum ? $"One of {string.Join(", ", Enum.GetNames(type))}"
        : type == typeof(string) ? "A text"
        : type == typeof(bool) ? "True or false"
        : type == typeof(Guid) ? "A UUID"
        : type == typeof(DateTime) || type == typeof(DateTimeOffset) ? "A time (ISO 8601)"
        : type == typeof(double) || type == typeof(float) || type == typeof(decimal) ? "A number"
        : type.IsPrimitive ? $"A whole number{Limits(type)}"
        : type != typeof(string) && typeof(System.Collections.IEnumerable).IsAssignableFrom(type) ? "An array"
        : "An object";

    private static string Limits(Type type) =>
        type.GetField("MinValue")?.GetValue(null) is { } min && type.GetField("MaxValue")?.GetValue(null) is { } max
            ? $" from {min} to {max}"
            : "";

    private static JsonPropertyInfo? Property(JsonTypeInfo type, string name) =>
        type.Properties.FirstOrDefault(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>The members that the client wrote, by the names that the record has for them.</summary>
    private static Dictionary<string, (string Name, JsonElement Value)> Written(JsonElement json, JsonTypeInfo type)
    {
        var written = new Dictionary<string, (string, JsonElement)>(StringComparer.Ordinal);
        if (json.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in json.EnumerateObject())
            {
                if (Property(type, member.Name) is { } property)
                {
                    written.TryAdd(property.Name, (member.Name, member.Value));
                }
            }
        }

        return written;
    }

    private static string? NameOf(JsonTypeInfo type, string? member, Dictionary<string, (string Name, JsonElement Value)> written) =>
        member is not null
        && type.Properties.FirstOrDefault(p => p.AttributeProvider is MemberInfo info && info.Name == member) is { } property
            ? written.GetValueOrDefault(property.Name).Name ?? property.Name
            : member;
}

using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Platform.Api.Problems;

namespace Platform.Api.HeavyTasks;

/// <summary>Turns JSON into a record, checks its data annotations at every depth, and names each field that is wrong as the client wrote it.</summary>
internal static class RequestReader
{
    /// <summary>Reads a request's body, as <see cref="Read"/> does.</summary>
    public static async Task<object?> ReadBodyAsync(HttpRequest request, JsonTypeInfo type, FieldErrors errors)
    {
        try
        {
            return Read(await request.ReadFromJsonAsync<JsonElement>(request.HttpContext.RequestAborted), type, path: "", errors);
        }
        catch (JsonException exception)
        {
            // The parser's own words, without the counting from zero that follows them.
            var reason = exception.InnerException is JsonException syntax ? syntax.Message.Split(" LineNumber:")[0] : "It ends too early.";
            errors.Add("$", $"Malformed JSON at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}: {reason}");
            return null;
        }
    }

    /// <summary>The record, or null when something was added to <paramref name="errors"/>.</summary>
    /// <param name="json">What the client sent.</param>
    /// <param name="type">The record, with the options to read it by.</param>
    /// <param name="path">Name of <paramref name="json"/> in the request; empty for the body itself.</param>
    /// <param name="errors">Where to say what is wrong.</param>
    public static object? Read(JsonElement json, JsonTypeInfo type, string path, FieldErrors errors)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            errors.Add(FieldName(path), "An object is expected.");
            return null;
        }

        try
        {
            var value = json.Deserialize(type)!;
            Validate(value, type, path, errors);
            return errors.Any ? null : value;
        }
        catch (JsonException exception)
        {
            // The serializer stops at the first fault and names types of the program; the client gets all faults, in its own terms.
            try
            {
                Explain(json, type, path, errors);
            }
            catch (InvalidOperationException)
            {
                errors.Add(FieldName(path), "The name of a field is not valid Unicode.");
            }

            if (!errors.Any)
            {
                errors.Add(FieldName(path), $"Not valid at {exception.Path}.");
            }

            return null;
        }
    }

    private static void Validate(object value, JsonTypeInfo type, string path, FieldErrors errors)
    {
        if (type.Kind == JsonTypeInfoKind.Enumerable)
        {
            var itemType = type.Options.GetTypeInfo(type.ElementType!);
            var index = 0;
            foreach (var item in (System.Collections.IEnumerable)value)
            {
                if (item is not null)
                {
                    Validate(item, itemType, $"{path}[{index}]", errors);
                }
                else if (Nullable.GetUnderlyingType(itemType.Type) is null)
                {
                    // The serializer lets this through: what a list may hold is not known at run time.
                    errors.Add($"{path}[{index}]", "It cannot be null.");
                }

                index++;
            }
        }

        if (type.Kind != JsonTypeInfoKind.Object)
        {
            return;
        }

        var results = new List<ValidationResult>();
        if (!Validator.TryValidateObject(value, new ValidationContext(value), results, validateAllProperties: true))
        {
            foreach (var result in results)
            {
                foreach (var member in result.MemberNames.DefaultIfEmpty())
                {
                    errors.Add(Join(path, JsonName(type, member)), result.ErrorMessage ?? "Not valid.");
                }
            }
        }

        foreach (var property in type.Properties)
        {
            if (property.Get?.Invoke(value) is { } nested and not string)
            {
                Validate(nested, type.Options.GetTypeInfo(property.PropertyType), Join(path, property.Name), errors);
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
            catch (JsonException)
            {
                errors.Add(FieldName(path), $"{Expectation(Nullable.GetUnderlyingType(type.Type) ?? type.Type)} is expected.");
            }
        }
    }

    private static void ExplainObject(JsonElement json, JsonTypeInfo type, string path, FieldErrors errors)
    {
        var missing = type.Properties.Where(p => p.IsRequired).Select(p => p.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var member in json.EnumerateObject())
        {
            missing.Remove(member.Name);
            if (type.Properties.FirstOrDefault(p => p.Name.Equals(member.Name, StringComparison.OrdinalIgnoreCase)) is not { } property)
            {
                errors.Add(Join(path, member.Name), "There is no such field.");
            }
            else if (member.Value.ValueKind == JsonValueKind.Null && !property.IsSetNullable)
            {
                errors.Add(Join(path, property.Name), "It cannot be null.");
            }
            else
            {
                Explain(member.Value, type.Options.GetTypeInfo(property.PropertyType), Join(path, property.Name), errors);
            }
        }

        foreach (var name in missing)
        {
            errors.Add(Join(path, name), "Required.");
        }
    }

    private static string Expectation(Type type) =>
        type.IsEnum ? $"One of {string.Join(", ", Enum.GetNames(type))}"
        : type == typeof(string) ? "A text"
        : type == typeof(bool) ? "True or false"
        : type == typeof(Guid) ? "A UUID"
        : type == typeof(DateTime) || type == typeof(DateTimeOffset) ? "A time (ISO 8601)"
        : type == typeof(int) || type == typeof(long) ? "A whole number"
        : type.IsPrimitive || type == typeof(decimal) ? "A number"
        : type != typeof(string) && typeof(System.Collections.IEnumerable).IsAssignableFrom(type) ? "An array"
        : "An object";

    private static string? JsonName(JsonTypeInfo type, string? member) =>
        member is null
            ? null
            : type.Properties.FirstOrDefault(p => p.AttributeProvider is MemberInfo info && info.Name == member)?.Name ?? member;

    private static string Join(string path, string? name) =>
        string.IsNullOrEmpty(name) ? FieldName(path)
        : path.Length == 0 ? name
        : $"{path}.{name}";

    private static string FieldName(string path) => path.Length == 0 ? "$" : path;
}

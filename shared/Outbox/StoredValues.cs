using System.Text.Json;

namespace Platform.Outbox;

/// <summary>
/// Headers and transport properties as JSON, <c>{"text":"a","number":["Int32",1]}</c>: each comes back as the type it had, because
/// the broker's protocol has types too.
/// </summary>
internal static class StoredValues
{
    private static readonly Dictionary<string, Type> Types = new[]
    {
        typeof(bool), typeof(byte), typeof(short), typeof(int), typeof(long), typeof(float), typeof(double), typeof(decimal),
        typeof(DateTime), typeof(DateTimeOffset), typeof(Guid), typeof(Uri), typeof(string[]),
    }.ToDictionary(t => t.Name);

    /// <summary>Null when there is nothing to store. Values of other types are left out, as RabbitMQ's transport leaves them out.</summary>
    public static string? Serialize(IEnumerable<KeyValuePair<string, object>> values)
    {
        var stored = new Dictionary<string, object>();
        foreach (var (key, value) in values)
        {
            if (value is string)
            {
                stored[key] = value;
            }
            else if (Types.ContainsKey(value.GetType().Name))
            {
                stored[key] = new[] { value.GetType().Name, value };
            }
        }

        return stored.Count > 0 ? JsonSerializer.Serialize(stored) : null;
    }

    /// <summary>The values that were stored.</summary>
    /// <exception cref="JsonException">The text was not written by <see cref="Serialize"/>.</exception>
    public static Dictionary<string, object> Deserialize(string? text)
    {
        var values = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, stored) in text is null ? [] : JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(text) ?? [])
        {
            values[key] = stored.ValueKind == JsonValueKind.String ? stored.GetString()!
                : stored.ValueKind == JsonValueKind.Array && Types.TryGetValue(stored[0].GetString()!, out var type) ? stored[1].Deserialize(type)!
                : throw new JsonException($"\"{key}\" is not a stored value.");
        }

        return values;
    }
}

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
        typeof(bool),
        typeof(byte),
        typeof(short),
        typeof(int),
        typeof(long),
        typeof(float),
        typeof(double),
        typeof(decimal),
        typeof(DateTime),
        typeof(DateTimeOffset),
        typeof(Guid),
        typeof(Uri),
        typeof(string[]),
    }.ToDictionary(t => t.Name);

    /// <summary>The values that can be stored. Those of other types are left out, as RabbitMQ's transport leaves them out.</summary>
    public static Dictionary<string, object> Keep(IEnumerable<KeyValuePair<string, object>> values)
    {
        var kept = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in values)
        {
            if (value is string || Types.ContainsKey(value.GetType().Name))
            {
                kept[key] = value;
            }
        }

        return kept;
    }

    /// <summary>Null when there is nothing to store.</summary>
    public static string? Serialize(Dictionary<string, object> kept) =>
        kept.Count == 0
            ? null
            : JsonSerializer.Serialize(
                kept.ToDictionary(v => v.Key, v => v.Value is string ? v.Value : new[] { v.Value.GetType().Name, v.Value })
            );

    /// <summary>The values that were stored.</summary>
    /// <exception cref="JsonException">The text was not written by <see cref="Serialize"/>.</exception>
    public static Dictionary<string, object> Deserialize(string? text)
    {
        var values = new Dictionary<string, object>(StringComparer.OrdinalIgnoreCase);
        foreach (var (key, stored) in text is null ? [] : JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(text) ?? [])
        {
            values[key] =
                stored.ValueKind == JsonValueKind.String ? stored.GetString()!
                : stored.ValueKind == JsonValueKind.Array && Types.TryGetValue(stored[0].GetString()!, out var type)
                    ? stored[1].Deserialize(type)!
                : throw new JsonException($"\"{key}\" is not a stored value.");
        }

        return values;
    }
}

using System.Text.Json;

namespace Platform.HeavyTasks.Http;

/// <summary>Times that clients send: one without an offset is UTC.</summary>
internal static class RequestTime
{
    /// <summary>Reads a time of the query. Adds what is none to <paramref name="errors"/>.</summary>
    public static DateTime? Read(string? text, string field, FieldErrors errors)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        // As in bodies.
        if (JsonEncodedText.Encode(text) is var quoted && TryRead(quoted, out var time))
        {
            return ToUtc(time);
        }

        errors.Add(field, "A time (ISO 8601) is expected.");
        return null;
    }

    private static bool TryRead(JsonEncodedText text, out DateTime time)
    {
        var reader = new Utf8JsonReader([(byte)'"', .. text.EncodedUtf8Bytes, (byte)'"']);
        reader.Read();
        return reader.TryGetDateTime(out time);
    }

    /// <summary>The time in UTC.</summary>
    public static DateTime ToUtc(DateTime time) =>
        time.Kind == DateTimeKind.Unspecified ? DateTime.SpecifyKind(time, DateTimeKind.Utc) : time.ToUniversalTime();
}

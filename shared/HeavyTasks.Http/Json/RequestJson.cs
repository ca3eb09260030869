using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Reads the JSON that a client sends, before a record is made of it: its syntax, members that are given twice, and text and numbers that
/// cannot be stored.
/// </summary>
internal static class RequestJson
{
    // A name may be as long as the body, and an error repeats the names of all objects around a member.
    private const int MaxShownName = 100;

    /// <summary>
    /// The options that records are read with: a member that the record does not have is refused here, where the client can still be told.
    /// </summary>
    public static JsonSerializerOptions Options => ParameterSchema.ReaderOptions;

    /// <summary>Reads a whole body; null when something was added to <paramref name="errors"/>.</summary>
    /// <exception cref="BadHttpRequestException">The body is longer than allowed (413).</exception>
    public static async Task<JsonElement?> ReadAsync(Stream body, int maxLength, FieldErrors errors, CancellationToken cancellationToken)
    {
        var bytes = await ReadBytesAsync(body, maxLength, cancellationToken);
        try
        {
            var json = JsonElement.Parse(WholeNumbers.Plain(bytes).Span);
            Check(json, path: "", errors);
            return errors.Any ? null : json;
        }
        catch (JsonException exception)
        {
            // The parser's own message, without the position after it, which counts from zero.
            var reason = exception.Message.Split(" LineNumber:")[0];
            errors.Add("$", $"Malformed JSON at line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}: {reason}");
            return null;
        }
    }

    /// <summary>The name of a member as the client wrote it, with escapes where it has characters that nobody sees or that are none.</summary>
    public static string ShownName(JsonProperty member)
    {
        var name =
            TryRead(() => member.Name) is { } text && !text.Any(char.IsControl)
                ? text
                : string.Concat(
                    Encoding
                        .UTF8.GetString(JsonMarshal.GetRawUtf8PropertyName(member))
                        .Select(c => char.IsControl(c) ? $"\\u{(int)c:x4}" : $"{c}")
                );
        return name.Length <= MaxShownName ? name : $"{name[..MaxShownName]}...";
    }

    /// <summary>
    /// The name of a member of an object as the client wrote it: names are read in any case. The name itself when the client did not write it.
    /// </summary>
    public static string NameOf(JsonElement body, string member) =>
        body.EnumerateObject()
            .Select(written => written.Name)
            .FirstOrDefault(name => name.Equals(member, StringComparison.OrdinalIgnoreCase), member);

    /// <summary>The name of a member in a path of names.</summary>
    public static string Join(string path, string? name) =>
        string.IsNullOrEmpty(name) ? Shown(path)
        : path.Length == 0 ? name
        : $"{path}.{name}";

    /// <summary>A path of names as errors show it; the whole body is <c>$</c>.</summary>
    public static string Shown(string path) => path.Length == 0 ? "$" : path;

    private static async Task<ReadOnlyMemory<byte>> ReadBytesAsync(Stream body, int maxLength, CancellationToken cancellationToken)
    {
        var bytes = new ArrayBufferWriter<byte>();
        int read;
        while ((read = await body.ReadAsync(bytes.GetMemory(4096), cancellationToken)) > 0)
        {
            bytes.Advance(read);
            if (bytes.WrittenCount > maxLength)
            {
                throw new BadHttpRequestException($"The body is longer than {maxLength:N0} bytes.", StatusCodes.Status413PayloadTooLarge);
            }
        }

        return bytes.WrittenSpan.StartsWith(Encoding.UTF8.Preamble)
            ? bytes.WrittenMemory[Encoding.UTF8.Preamble.Length..]
            : bytes.WrittenMemory;
    }

    private static void Check(JsonElement json, string path, FieldErrors errors)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                CheckMembers(json, path, errors);
                break;
            case JsonValueKind.Array:
                foreach (var (index, item) in json.EnumerateArray().Index())
                {
                    Check(item, $"{path}[{index}]", errors);
                }

                break;
            case JsonValueKind.String when TryRead(json.GetString) is not { } text || !StorableText.IsStorable(text):
                errors.Add(Shown(path), "The text has a character that cannot be stored: U+0000, or half of a surrogate pair.");
                break;
            case JsonValueKind.Number when !json.TryGetDouble(out var number) || !double.IsFinite(number):
                errors.Add(Shown(path), "The number is too large.");
                break;
        }
    }

    private static void CheckMembers(JsonElement json, string path, FieldErrors errors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var member in json.EnumerateObject())
        {
            var shown = Join(path, ShownName(member));
            if (TryRead(() => member.Name) is not { } name || !StorableText.IsStorable(name))
            {
                errors.Add(shown, "The name of this field has a character that cannot be stored: U+0000, or half of a surrogate pair.");
            }
            else if (!names.Add(name))
            {
                errors.Add(shown, Twice);
            }
            else
            {
                Check(member.Value, shown, errors);
            }
        }
    }

    /// <summary>What is said of a member that is given more than once.</summary>
    public const string Twice = "It is given more than once.";

    // Text that is not Unicode, such as half of a surrogate pair, cannot be read.
    private static string? TryRead(Func<string?> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>
/// Writes whole numbers in JSON with digits only: 5.0, 5e0 and 0.5E1 are the number 5 (RFC 8259 knows one kind of number), but the serializer
/// reads none of them as an integer.
/// </summary>
internal static class WholeNumbers
{
    // Longer than every integer that a record can have; 1e999999999 must not become a thousand million digits.
    private const int MaxDigits = 40;

    /// <summary>The same JSON, with the whole numbers in it written with digits only.</summary>
    /// <exception cref="JsonException">The bytes are not one JSON value.</exception>
    public static ReadOnlyMemory<byte> Plain(ReadOnlyMemory<byte> json)
    {
        var reader = new Utf8JsonReader(json.Span);
        ArrayBufferWriter<byte>? written = null;
        var copied = 0;
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.Number || Digits(reader.ValueSpan) is not { } digits)
            {
                continue;
            }

            written ??= new ArrayBufferWriter<byte>(json.Length);
            var start = (int)reader.TokenStartIndex;
            written.Write(json.Span[copied..start]);
            written.Write(Encoding.ASCII.GetBytes(digits));
            copied = start + reader.ValueSpan.Length;
        }

        written?.Write(json.Span[copied..]);
        return written?.WrittenMemory ?? json;
    }

    /// <summary>The digits of a whole number that has a fraction or an exponent; null for every other number.</summary>
    internal static string? Digits(ReadOnlySpan<byte> number)
    {
        if (!number.ContainsAny(".eE"u8))
        {
            return null;
        }

        var text = Encoding.ASCII.GetString(number);
        var sign = text[0] == '-' ? "-" : "";
        var parts = text[sign.Length..].Split('e', 'E');
        var point = parts[0].IndexOf('.', StringComparison.Ordinal);
        var fraction = point < 0 ? "" : parts[0][(point + 1)..];
        var significant = $"{(point < 0 ? parts[0] : parts[0][..point])}{fraction}".TrimStart('0');
        var trimmed = significant.TrimEnd('0');
        if (trimmed.Length == 0)
        {
            return $"{sign}0";
        }

        if (!int.TryParse(parts.ElementAtOrDefault(1) ?? "0", out var exponent))
        {
            return null;
        }

        var zeros = (long)exponent - fraction.Length + significant.Length - trimmed.Length;
        return zeros >= 0 && zeros + trimmed.Length <= MaxDigits ? $"{sign}{trimmed}{new string('0', (int)zeros)}" : null;
    }
}

/// <summary>
/// Makes the parameters that are stored: the members that the client wrote, in one spelling and order, without the defaults of the others. A
/// default that was stored would be one more member that a worker of another version may not know, and would stay when the default changes.
/// </summary>
internal static class WrittenParameters
{
    /// <param name="written">What the client wrote.</param>
    /// <param name="read">The record that was read from it.</param>
    /// <param name="type">The type of the record.</param>
    public static string Of(JsonElement written, object read, JsonTypeInfo type)
    {
        var node = JsonSerializer.SerializeToNode(read, type);
        Keep(node, written, type);
        return node!.ToJsonString(type.Options);
    }

    private static void Keep(JsonNode? node, JsonElement written, JsonTypeInfo type)
    {
        switch (node)
        {
            case JsonObject members when written.ValueKind == JsonValueKind.Object && type.Kind == JsonTypeInfoKind.Object:
                KeepMembers(members, written, type);
                break;
            case JsonObject entries when written.ValueKind == JsonValueKind.Object && type.Kind == JsonTypeInfoKind.Dictionary:
                var valueType = type.Options.GetTypeInfo(type.ElementType!);
                foreach (var entry in written.EnumerateObject())
                {
                    Keep(entries[entry.Name], entry.Value, valueType);
                }

                break;
            // A set that was read may have fewer items, in another order.
            case JsonArray items
                when written.ValueKind == JsonValueKind.Array
                    && type.Kind == JsonTypeInfoKind.Enumerable
                    && items.Count == written.GetArrayLength():
                var itemType = type.Options.GetTypeInfo(type.ElementType!);
                foreach (var (index, item) in written.EnumerateArray().Index())
                {
                    Keep(items[index], item, itemType);
                }

                break;
        }
    }

    private static void KeepMembers(JsonObject members, JsonElement written, JsonTypeInfo type)
    {
        var values = new Dictionary<string, JsonElement>(StringComparer.OrdinalIgnoreCase);
        foreach (var member in written.EnumerateObject())
        {
            values.TryAdd(member.Name, member.Value);
        }

        foreach (var property in type.Properties)
        {
            if (!values.TryGetValue(property.Name, out var value))
            {
                members.Remove(property.Name);
            }
            else if (value.ValueKind == JsonValueKind.Null)
            {
                // The serializer leaves null out, and the default of the record would take its place.
                members[property.Name] = null;
            }
            else
            {
                Keep(members[property.Name], value, type.Options.GetTypeInfo(property.PropertyType));
            }
        }
    }
}

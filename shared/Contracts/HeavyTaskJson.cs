using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Platform.Contracts;

/// <summary>
/// Defines how parameters, checkpoints and results are written as JSON: camelCase, and enums by name. Reading accepts an enum's name in any
/// case, but no number and no list of names. It refuses members that are given twice, and null where the record does not allow it. It ignores
/// members that it does not know, because during a rollout a newer version may have written them.
/// A <see cref="DateTime"/> or <see cref="DateTimeOffset"/> is read by <see cref="UtcTime"/> and is in UTC afterwards: without an offset it is
/// UTC, never the time of the machine's zone.
/// </summary>
public static class HeavyTaskJson
{
    /// <summary>The options that every reader and writer shares; read-only.</summary>
    public static JsonSerializerOptions Options { get; } = Create();

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            AllowDuplicateProperties = false,
            NumberHandling = JsonNumberHandling.Strict,
            RespectNullableAnnotations = true,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        };
        options.Converters.Add(new EnumNameConverter());
        options.Converters.Add(new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false));
        options.Converters.Add(new UtcDateTimeConverter());
        options.Converters.Add(new UtcDateTimeOffsetConverter());
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}

/// <summary>
/// Reads one name of an enum, in any case, and nothing else. The framework's converter also reads lists ("Update,Fail"), whose numbers it
/// combines to another value, and names with blanks around them. Enums with <see cref="FlagsAttribute"/> are left to it: their values are lists.
/// </summary>
internal sealed class EnumNameConverter : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert) => typeToConvert.IsEnum && !typeToConvert.IsDefined(typeof(FlagsAttribute));

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(Of<>).MakeGenericType(typeToConvert))!;

    private sealed class Of<T> : JsonConverter<T>
        where T : struct, Enum
    {
        private readonly Dictionary<string, T> values = new(StringComparer.OrdinalIgnoreCase);
        private readonly Dictionary<T, string> names = [];

        public Of()
        {
            foreach (var field in typeof(T).GetFields(BindingFlags.Public | BindingFlags.Static))
            {
                var name = field.GetCustomAttribute<JsonStringEnumMemberNameAttribute>()?.Name ?? field.Name;
                var value = (T)field.GetValue(null)!;
                values.TryAdd(name, value);
                names.TryAdd(value, name);
            }
        }

        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String ? ValueOf(reader.GetString()!) : throw new JsonException();

        public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            ValueOf(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(NameOf(value));

        public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            writer.WritePropertyName(NameOf(value));

        private T ValueOf(string name) => values.TryGetValue(name, out var value) ? value : throw new JsonException();

        private string NameOf(T value) =>
            names.TryGetValue(value, out var name) ? name : throw new JsonException($"{typeof(T).Name} has no name for {value:D}.");
    }
}

/// <summary>Reads and writes <see cref="DateTime"/> as UTC, by the rule of <see cref="UtcTime"/>. One of unknown kind is written as UTC, too.</summary>
internal sealed class UtcDateTimeConverter : JsonConverter<DateTime>
{
    public override DateTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => ReadTime(ref reader);

    public override void Write(Utf8JsonWriter writer, DateTime value, JsonSerializerOptions options) =>
        writer.WriteStringValue(ToUtc(value));

    public override DateTime ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        ReadTime(ref reader);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, [DisallowNull] DateTime value, JsonSerializerOptions options) =>
        writer.WritePropertyName(JsonSerializer.Serialize(ToUtc(value)).Trim('"'));

    internal static DateTime ReadTime(ref Utf8JsonReader reader) =>
        reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && UtcTime.TryParse(reader.GetString(), out var time)
            ? time
            : throw new JsonException("A time such as 2030-01-31T22:00:00Z is expected.");

    private static DateTime ToUtc(DateTime value) =>
        value.Kind == DateTimeKind.Local ? value.ToUniversalTime() : DateTime.SpecifyKind(value, DateTimeKind.Utc);
}

/// <summary>Reads and writes <see cref="DateTimeOffset"/> with offset zero, by the rule of <see cref="UtcTime"/>.</summary>
internal sealed class UtcDateTimeOffsetConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        new(UtcDateTimeConverter.ReadTime(ref reader), TimeSpan.Zero);

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToUniversalTime());

    public override DateTimeOffset ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Read(ref reader, typeToConvert, options);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, [DisallowNull] DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WritePropertyName(JsonSerializer.Serialize(value.ToUniversalTime()).Trim('"'));
}

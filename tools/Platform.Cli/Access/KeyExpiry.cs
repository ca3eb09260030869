using Platform.Cli.Sizing;
using Platform.Contracts;

namespace Platform.Cli.Access;

/// <summary>When a key ends: at a time, or some time after it was created.</summary>
internal sealed record KeyExpiry
{
    private static readonly TimeSpan longest = TimeSpan.FromDays(3650);

    private DateTime At { get; init; }

    private TimeSpan? After { get; init; }

    /// <summary>Reads <c>12h</c>, <c>30d</c>, or a time in ISO 8601.</summary>
    /// <returns>Null when the text is neither, or longer than ten years.</returns>
    public static KeyExpiry? Read(string text) =>
        Quantities.Time(text, longest) is { } after ? new KeyExpiry { After = after }
        : UtcTime.TryParse(text, out var time) ? new KeyExpiry { At = time }
        : null;

    /// <summary>The end of a key that is created now, in UTC.</summary>
    public DateTime From(DateTimeOffset now) => After is { } after ? now.UtcDateTime + after : At;
}

using System.Globalization;
using System.Text;

namespace Platform.HeavyTasks;

/// <summary>
/// Makes text that may come from a client safe to log: short, and without characters that a terminal obeys or nobody sees.
/// </summary>
internal static class LoggedText
{
    /// <summary>The most characters of a quotation.</summary>
    public const int MaxLength = 500;

    /// <summary>The text on one line with escapes such as <c>\u001b</c>, cut to <see cref="MaxLength"/> characters.</summary>
    public static string Of(string text) => Escape(text, MaxLength, keepLines: false);

    /// <summary>An exception with its causes and where they were thrown; only its messages can come from a client.</summary>
    public static string Of(Exception exception)
    {
        var logged = new StringBuilder();
        for (var current = exception; current is not null; current = current.InnerException)
        {
            logged.Append(logged.Length == 0 ? "" : "\n ---> ").Append(current.GetType()).Append(": ").Append(Of(current.Message));
            if (current.StackTrace is { } stack)
            {
                logged.Append('\n').Append(stack);
            }
        }

        return $"{logged}";
    }

    /// <summary>The text with its lines and tabs, escaped and cut to this many characters.</summary>
    public static string Lines(string text, int maxLength) => Escape(text, maxLength, keepLines: true);

    private static string Escape(string text, int maxLength, bool keepLines)
    {
        var shown = text.Length <= maxLength ? text : text[..maxLength];
        if (keepLines)
        {
            // A carriage return alone lets a terminal write over the line.
            shown = shown.Replace("\r\n", "\n", StringComparison.Ordinal);
        }

        var logged = new StringBuilder(shown.Length);
        foreach (var rune in shown.EnumerateRunes())
        {
            if (IsUnseen(rune) && !(keepLines && rune.Value is ('\n' or '\t')))
            {
                logged.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}");
            }
            else
            {
                logged.Append(rune);
            }
        }

        return text.Length <= maxLength ? $"{logged}" : $"{logged}... ({text.Length:N0} characters)";
    }

    private static bool IsUnseen(Rune rune) =>
        Rune.GetUnicodeCategory(rune)
            is UnicodeCategory.Control
                or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;
}

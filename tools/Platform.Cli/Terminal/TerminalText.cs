using System.Globalization;
using System.Text;

namespace Platform.Cli.Terminal;

/// <summary>
/// Makes text from elsewhere safe to print. Otherwise, escape sequences in an error message or a file name could move the cursor, or
/// recolour or rewrite what the reader sees, and bidirectional controls could reorder it.
/// </summary>
internal static class TerminalText
{
    /// <summary>
    /// Makes one line: removes control characters, and turns line breaks and tabs into spaces. Null becomes the empty string.
    /// </summary>
    public static string Line(string? text) => Clean(text, keepLineBreaks: false);

    /// <summary>Cleans several lines like <see cref="Line"/>, but keeps line breaks (as <c>\n</c>) and indentation.</summary>
    public static string Block(string? text) => Clean(text, keepLineBreaks: true);

    private static string Clean(string? text, bool keepLineBreaks)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.Replace("\r\n", "\n", StringComparison.Ordinal).EnumerateRunes())
        {
            if (rune.Value is '\n' or '\r' or '\t' or 0x2028 or 0x2029)
            {
                clean.Append(keepLineBreaks && rune.Value is '\n' ? '\n' : ' ');
            }
            else if (!IsControl(rune))
            {
                clean.Append(rune.ToString());
            }
        }

        return clean.ToString();
    }

    private static bool IsControl(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control
        || rune.Value is 0x061C or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);
}

using System.Globalization;
using System.Text;

namespace Platform.Cli.Terminal;

/// <summary>
/// Makes text from elsewhere safe to print. Escape sequences in an error message or a file name could otherwise move the cursor,
/// recolour or rewrite what the reader sees; bidirectional controls could reorder it.
/// </summary>
internal static class TerminalText
{
    /// <summary>One line: control characters removed, line breaks and tabs become spaces. Null becomes the empty string.</summary>
    public static string Line(string? text) => Clean(text, keepLineBreaks: false);

    /// <summary>Several lines: as <see cref="Line"/>, but line breaks (as <c>\n</c>) and indentation stay.</summary>
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

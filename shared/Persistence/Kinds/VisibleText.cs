using System.Globalization;
using System.Text;

namespace Platform.Persistence;

/// <summary>
/// Quotes what a user wrote, for messages: at most so many characters, and what nobody sees is written as its code, so that two names that
/// differ look different and no control character reaches a log or a terminal.
/// </summary>
public static class VisibleText
{
    /// <summary>The most characters of the original that are quoted: 100.</summary>
    public const int MaxLength = 100;

    /// <summary>Quotes a text: <c>'name'</c>, <c>'\u200Bname'</c>, or its beginning and how long it is.</summary>
    public static string Quote(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var length = text.Length <= MaxLength ? text.Length : MaxLength;
        if (length < text.Length && char.IsHighSurrogate(text[length - 1]))
        {
            length--;
        }

        var quoted = new StringBuilder("'");
        for (var i = 0; i < length; )
        {
            if (Rune.TryGetRuneAt(text, i, out var rune))
            {
                Append(quoted, rune);
                i += rune.Utf16SequenceLength;
            }
            else
            {
                quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:X4}");
                i++;
            }
        }

        quoted.Append(length < text.Length ? "...'" : "'");
        return length < text.Length
            ? quoted.Append(CultureInfo.InvariantCulture, $" ({text.Length:N0} characters)").ToString()
            : quoted.ToString();
    }

    private static void Append(StringBuilder quoted, Rune rune)
    {
        if (IsSeen(rune))
        {
            quoted.Append(rune.ToString());
        }
        else if (rune.IsBmp)
        {
            quoted.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}");
        }
        else
        {
            quoted.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:X}}}");
        }
    }

    private static bool IsSeen(Rune rune) =>
        rune.Value == ' '
        || (
            Rune.GetUnicodeCategory(rune)
                is not (
                    UnicodeCategory.Control
                    or UnicodeCategory.Format
                    or UnicodeCategory.SpaceSeparator
                    or UnicodeCategory.LineSeparator
                    or UnicodeCategory.ParagraphSeparator
                    or UnicodeCategory.PrivateUse
                    or UnicodeCategory.Surrogate
                    or UnicodeCategory.OtherNotAssigned
                )
            && !IsBlankLetter(rune.Value)
        );

    // Letters and symbols without ink, variation selectors, and the accents that make "e" and an accent look like one letter.
    private static bool IsBlankLetter(int value) =>
        value
            is (>= 0x0300 and <= 0x036F)
                or 0x115F
                or 0x1160
                or 0x17B4
                or 0x17B5
                or (>= 0x180B and <= 0x180F)
                or 0x2800
                or 0x3164
                or 0xFFA0
                or 0xFFFC
                or (>= 0xFE00 and <= 0xFE0F)
                or (>= 0xE0100 and <= 0xE01EF);
}

namespace Platform.Contracts;

/// <summary>
/// Reads times by the one rule that holds wherever Platform takes a time from outside (parameters, <c>dueAt</c>, imported files, the command
/// line): a time without an offset is UTC, whatever the time zone of the machine.
/// </summary>
public static class UtcTime
{
    private const int MaxOffsetHours = 15;

    /// <summary>
    /// Reads <c>yyyy-MM-dd</c>, or that with <c>HH:mm</c> or <c>HH:mm:ss</c> after a T or a space. Seconds may have a fraction behind a point
    /// or a comma, and what is finer than 100 ns is cut off. At the end may stand <c>Z</c>, <c>UTC</c>, or an offset of at most 15:59:59:
    /// <c>+02</c>, <c>+0200</c>, <c>+02:00</c> or <c>+02:00:00</c>, with or without a space before it. These are the forms of ISO 8601 that
    /// are usual in JSON, and those in which PostgreSQL and MySQL write times.
    /// </summary>
    /// <param name="text">The text; nothing may stand before or after the time.</param>
    /// <param name="utc">The time in UTC, or the default.</param>
    /// <returns>Whether the text is such a time, and one that exists.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out DateTime utc)
    {
        utc = default;
        var rest = new Rest(text);
        if (
            !rest.Digits(4, out var year)
            || !rest.Take('-')
            || !rest.Digits(2, out var month)
            || !rest.Take('-')
            || !rest.Digits(2, out var day)
        )
        {
            return false;
        }

        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
        {
            return false;
        }

        var ticks = new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc).Ticks;
        if (!rest.IsEmpty && !(rest.TakeAny("Tt ") && TimeOfDay(ref rest, ref ticks) && Offset(ref rest, ref ticks)))
        {
            return false;
        }

        if (ticks < DateTime.MinValue.Ticks || ticks > DateTime.MaxValue.Ticks)
        {
            return false;
        }

        utc = new DateTime(ticks, DateTimeKind.Utc);
        return true;
    }

    private static bool TimeOfDay(ref Rest rest, ref long ticks)
    {
        if (!rest.Digits(2, out var hour) || !rest.Take(':') || !rest.Digits(2, out var minute) || hour > 23 || minute > 59)
        {
            return false;
        }

        ticks += (hour * TimeSpan.TicksPerHour) + (minute * TimeSpan.TicksPerMinute);
        if (!rest.Take(':'))
        {
            return true;
        }

        if (!rest.Digits(2, out var second) || second > 59)
        {
            return false;
        }

        ticks += second * TimeSpan.TicksPerSecond;
        return !rest.TakeAny(".,") || rest.Fraction(ref ticks);
    }

    private static bool Offset(ref Rest rest, ref long ticks)
    {
        if (rest.IsEmpty)
        {
            return true;
        }

        rest.Take(' ');
        if (rest.TakeAny("Zz") || rest.Take("UTC"))
        {
            return rest.IsEmpty;
        }

        var isEast = rest.Take('+');
        var minute = 0;
        var second = 0;
        if (!(isEast || rest.TakeAny("-\u2212")) || !rest.Digits(2, out var hour))
        {
            return false;
        }

        if (rest.Take(':'))
        {
            if (!rest.Digits(2, out minute) || (rest.Take(':') && !rest.Digits(2, out second)))
            {
                return false;
            }
        }
        else if (!rest.IsEmpty && !rest.Digits(2, out minute))
        {
            return false;
        }

        var offset = (hour * TimeSpan.TicksPerHour) + (minute * TimeSpan.TicksPerMinute) + (second * TimeSpan.TicksPerSecond);
        ticks -= isEast ? offset : -offset;
        return rest.IsEmpty && hour <= MaxOffsetHours && minute <= 59 && second <= 59;
    }

    /// <summary>What is left of the text.</summary>
    private ref struct Rest(ReadOnlySpan<char> text)
    {
        private ReadOnlySpan<char> text = text;

        public readonly bool IsEmpty => text.IsEmpty;

        public bool Take(char expected)
        {
            var isThere = !text.IsEmpty && text[0] == expected;
            text = isThere ? text[1..] : text;
            return isThere;
        }

        public bool Take(string expected)
        {
            var isThere = text.StartsWith(expected, StringComparison.Ordinal);
            text = isThere ? text[expected.Length..] : text;
            return isThere;
        }

        public bool TakeAny(string expected)
        {
            var isThere = !text.IsEmpty && expected.Contains(text[0], StringComparison.Ordinal);
            text = isThere ? text[1..] : text;
            return isThere;
        }

        public bool Digits(int count, out int value)
        {
            value = 0;
            if (text.Length < count)
            {
                return false;
            }

            foreach (var c in text[..count])
            {
                if (!char.IsAsciiDigit(c))
                {
                    return false;
                }

                value = (value * 10) + (c - '0');
            }

            text = text[count..];
            return true;
        }

        public bool Fraction(ref long ticks)
        {
            var length = text.IndexOfAnyExceptInRange('0', '9');
            length = length < 0 ? text.Length : length;
            var unit = TimeSpan.TicksPerSecond;
            foreach (var c in text[..length])
            {
                unit /= 10;
                ticks += (c - '0') * unit;
            }

            text = text[length..];
            return length > 0;
        }
    }
}

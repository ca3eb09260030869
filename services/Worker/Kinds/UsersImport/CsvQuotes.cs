namespace Platform.Worker.Kinds.UsersImport;

/// <summary>
/// Follows the quotes of one record line by line, as RFC 4180 has them: a quoted field begins with a quote, ends with a quote before a
/// delimiter or the end of a line, and has all other quotes doubled; an unquoted field has none.
/// </summary>
/// <remarks>
/// While no quote is misplaced, a line changes whether a field is open exactly if its number of quotes is odd, from wherever it is read. So
/// the search for the end of a field ends at the next such line at the latest: there the field ends, or a quote is misplaced. That is why
/// reading each line again, after the search from the line before it failed, stays linear.
/// </remarks>
internal struct CsvQuotes(char delimiter)
{
    /// <summary>Whether a quoted field is still open at the end of the text read so far.</summary>
    public bool Open { get; private set; }

    /// <summary>Whether a quote stood where none may stand. Nothing more is to be read then.</summary>
    public bool Misplaced { get; private set; }

    /// <summary>Reads one line, without its line break.</summary>
    public void Read(ReadOnlySpan<char> line)
    {
        var rest = line;
        while (!Misplaced && (Open ? Inside(ref rest) : Begin(ref rest))) { }
    }

    /// <summary>Reads from the beginning of a field to that of the next, or into a quoted one.</summary>
    /// <returns>Whether the line goes on.</returns>
    private bool Begin(ref ReadOnlySpan<char> rest)
    {
        if (rest.StartsWith('"'))
        {
            Open = true;
            rest = rest[1..];
            return true;
        }

        var end = rest.IndexOfAny(delimiter, '"');
        if (end < 0)
        {
            return false;
        }

        Misplaced = rest[end] == '"';
        rest = rest[(end + 1)..];
        return true;
    }

    /// <summary>Reads inside a quoted field up to and with the next quote, doubled or closing.</summary>
    /// <returns>Whether the line goes on.</returns>
    private bool Inside(ref ReadOnlySpan<char> rest)
    {
        var quote = rest.IndexOf('"');
        if (quote < 0)
        {
            return false;
        }

        rest = rest[(quote + 1)..];
        if (rest.StartsWith('"'))
        {
            rest = rest[1..];
            return true;
        }

        Open = false;
        if (rest.IsEmpty)
        {
            return false;
        }

        Misplaced = rest[0] != delimiter;
        rest = rest[1..];
        return true;
    }
}

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>
/// Follows the quotes of one record line by line, to know whether the record goes on after a line break. It takes exactly the view of
/// CsvHelper's parser, which reads the record afterwards: a quote counts only where a field begins with one, and after misplaced
/// quotes the rest of the field is plain.
/// </summary>
internal struct CsvQuotes(char delimiter)
{
    private bool atFieldStart = true;
    private bool quoted;
    private bool misplaced;

    /// <summary>Whether a quoted field is open at the end of what was read.</summary>
    public bool Open { get; private set; }

    /// <summary>Reads one line, without its line break.</summary>
    public void Read(ReadOnlySpan<char> line)
    {
        if (!Open && !line.Contains('"'))
        {
            return;
        }

        var previous = '\0';
        foreach (var c in line)
        {
            if (atFieldStart)
            {
                quoted = c == '"';
                misplaced = false;
            }

            if (c == '"' && quoted)
            {
                if (!Open && !atFieldStart && previous != '"')
                {
                    misplaced = true;
                }
                else if (!misplaced)
                {
                    Open = !Open;
                }
            }

            atFieldStart = !Open && c == delimiter;
            previous = c;
        }
    }
}

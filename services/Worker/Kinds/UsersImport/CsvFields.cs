namespace Platform.Worker.Kinds.UsersImport;

/// <summary>Splits records without a defect into fields. Only the fields that are asked for become strings.</summary>
internal sealed class CsvFields(char delimiter)
{
    private ReadOnlyMemory<char> record;
    private (int Start, int Length)[] fields = new (int, int)[16];

    /// <summary>The number of fields in the record.</summary>
    public int Count { get; private set; }

    /// <summary>A field, unquoted.</summary>
    public string this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            var (start, length) = fields[index];
            var field = record.Span.Slice(start, length);
            return field.StartsWith('"') ? field[1..^1].ToString().Replace("\"\"", "\"", StringComparison.Ordinal) : field.ToString();
        }
    }

    /// <summary>Splits a record. Its text must stay as it is while fields are read.</summary>
    public void Read(ReadOnlyMemory<char> text)
    {
        record = text;
        Count = 0;
        var span = text.Span;
        var start = 0;
        while (true)
        {
            var length = FieldLength(span[start..]);
            Add(start, length);
            start += length + 1;
            if (start > span.Length)
            {
                return;
            }
        }
    }

    private int FieldLength(ReadOnlySpan<char> rest)
    {
        var inside = rest.StartsWith('"') ? 1 : 0;
        while (inside > 0)
        {
            inside += rest[inside..].IndexOf('"') + 1;
            if (inside == rest.Length || rest[inside] != '"')
            {
                return inside;
            }

            inside++;
        }

        var end = rest.IndexOf(delimiter);
        return end < 0 ? rest.Length : end;
    }

    private void Add(int start, int length)
    {
        if (Count == fields.Length)
        {
            Array.Resize(ref fields, fields.Length * 2);
        }

        fields[Count] = (start, length);
        Count++;
    }
}

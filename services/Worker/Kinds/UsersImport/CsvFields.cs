using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>Splits records into fields with CsvHelper, one record at a time, so that a defective record cannot spill into the next.</summary>
internal sealed class CsvFields : IDisposable
{
    private readonly RecordText record = new();
    private readonly CsvParser parser;
    private bool quotesMisplaced;

    public CsvFields(char delimiter)
    {
        var configuration = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = delimiter.ToString(),
            BadDataFound = _ => quotesMisplaced = true,
            IgnoreBlankLines = false,
            BufferSize = 16 * 1024,
        };
        parser = new CsvParser(record, configuration);
    }

    /// <summary>Number of fields of the record.</summary>
    public int Count => parser.Count;

    /// <summary>A field, unquoted.</summary>
    public string this[int index] => parser[index];

    /// <summary>Reads a record.</summary>
    /// <returns>Why it cannot be used; null when it can.</returns>
    public string? Read(ReadOnlyMemory<char> text)
    {
        var charCount = parser.CharCount;
        record.Set(text);
        if (!parser.Read() || parser.CharCount - charCount != text.Length + 1)
        {
            throw new InvalidOperationException("The parser and the record reader disagree about where a record ends.");
        }

        if (!text.Span.Contains('"'))
        {
            return null;
        }

        // The parser judges the quotes of a field only when that field is asked for.
        quotesMisplaced = false;
        for (var i = 0; i < parser.Count; i++)
        {
            _ = parser[i];
        }

        return quotesMisplaced ? "a quote stands inside a field; quote the whole field and double the quotes in it" : null;
    }

    public void Dispose()
    {
        parser.Dispose();
        record.Dispose();
    }

    /// <summary>Gives the parser one record and a line break, then nothing until the next record is set.</summary>
    private sealed class RecordText : TextReader
    {
        private ReadOnlyMemory<char> text;
        private bool lineBreakGiven = true;

        public void Set(ReadOnlyMemory<char> record)
        {
            text = record;
            lineBreakGiven = false;
        }

        public override int Read(char[] buffer, int index, int count)
        {
            var length = Math.Min(count, text.Length);
            text.Span[..length].CopyTo(buffer.AsSpan(index));
            text = text[length..];
            if (length < count && !lineBreakGiven)
            {
                buffer[index + length] = '\n';
                length++;
                lineBreakGiven = true;
            }

            return length;
        }
    }
}

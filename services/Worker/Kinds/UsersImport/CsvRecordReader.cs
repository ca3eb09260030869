using Platform.HeavyTasks;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>
/// Cuts a CSV file into records, each with its exact byte offset and line number. A record is one line, or as many lines as a quoted field
/// spans. Line breaks (LF, CRLF, CR) are found in the bytes and every line is decoded by itself, so reading depends on nothing before
/// <see cref="Position"/>: a reader that goes on there reads the same records as one that began at the start.
/// </summary>
/// <remarks>
/// Memory is bounded by <see cref="MaxRecordLength"/>. A longer line is one defective record. If a quote is misplaced, or is not closed within
/// that length or before the end of the file, the line where the record began is one defective record, and reading goes on with the next line.
/// Work is linear in the length of the file all the same (<see cref="CsvQuotes"/> says why).
/// </remarks>
internal sealed class CsvRecordReader
{
    /// <summary>The longest record: 1 MiB.</summary>
    public const int MaxRecordLength = 1024 * 1024;

    /// <summary>How much text of a line that is too long is kept, in bytes.</summary>
    public const int KeptOfLongLine = 1000;

    private readonly Stream content;
    private byte[] window = new byte[256 * 1024];
    private char[] text = new char[4096];
    private int start;
    private int end;
    private bool atEnd;
    private bool beforeFirstRecord;

    private CsvRecordReader(Stream content, CsvEncoding encoding)
    {
        this.content = content;
        Encoding = encoding;
        GoTo(encoding.PreambleLength, 1);
    }

    /// <summary>The encoding of the file.</summary>
    public CsvEncoding Encoding { get; }

    /// <summary>The character between two fields.</summary>
    public char Delimiter { get; set; } = ',';

    /// <summary>The byte offset of the next record.</summary>
    public long Position { get; private set; }

    /// <summary>The line number at <see cref="Position"/>.</summary>
    public long Line { get; private set; }

    /// <summary>How many bytes were searched for line breaks or decoded so far; a byte counts each time.</summary>
    public long Work { get; private set; }

    /// <summary>Opens a file at its first record.</summary>
    /// <param name="content">The content; it must be seekable and is read asynchronously.</param>
    /// <param name="declaredEncoding">The name of the encoding, used if the file has no byte order mark.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="NonRetryableException">The encoding cannot be used.</exception>
    public static async Task<CsvRecordReader> OpenAsync(Stream content, string declaredEncoding, CancellationToken cancellationToken)
    {
        var firstBytes = new byte[3];
        var length = await content.ReadAtLeastAsync(firstBytes, firstBytes.Length, throwOnEndOfStream: false, cancellationToken);
        return new CsvRecordReader(content, CsvEncoding.Detect(firstBytes.AsSpan(0, length), declaredEncoding));
    }

    /// <summary>Goes to a position and line that <see cref="Position"/> and <see cref="Line"/> reported earlier.</summary>
    public void GoTo(long position, long line)
    {
        content.Position = position;
        Position = position;
        Line = line;
        start = end = 0;
        atEnd = false;
        beforeFirstRecord = position == Encoding.PreambleLength;
    }

    /// <summary>
    /// Reads the next record; null at the end. Skips blank lines: empty ones, and those whose fields are all empty. Byte order marks before
    /// the first record are passed over, however many there are.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token is looked at for each line.</exception>
    public async ValueTask<CsvRecord?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var first = await FindLineAsync(0, cancellationToken);
            if (first.IsEnd)
            {
                return null;
            }

            if (first.IsEmpty)
            {
                Pass(first, 1);
                continue;
            }

            var record = first.IsTooLong ? await PassLongLineAsync(cancellationToken) : await ReadRecordAsync(first, cancellationToken);
            if (record.Defect is not null || !IsBlank(record.Text.Span))
            {
                beforeFirstRecord = false;
                return record;
            }
        }
    }

    private async ValueTask<CsvRecord> ReadRecordAsync(CsvLine first, CancellationToken cancellationToken)
    {
        var line = Line;
        var (textLength, valid) = Decode(0, first.Length, 0);
        var textStart = beforeFirstRecord ? LengthOfMarks(text.AsSpan(0, textLength)) : 0;
        var firstText = textStart..textLength;
        var isFirstValid = valid;
        var quotes = new CsvQuotes(Delimiter);
        quotes.Read(text.AsSpan(firstText));
        var length = first;
        var lines = 1;
        while (quotes is { Open: true, Misplaced: false })
        {
            var next = await FindLineAsync(length.Total, cancellationToken);
            if (next.IsEnd)
            {
                return PassFirstLine("a quote is opened and not closed before the end of the file");
            }

            if (next.IsTooLong)
            {
                return PassFirstLine($"a quote is opened and not closed within {MaxRecordLength:N0} bytes");
            }

            (textLength, _) = Decode(length.Length, length.BreakLength, textLength);
            var lineStart = textLength;
            (textLength, var lineValid) = Decode(length.Total, next.Length, textLength);
            quotes.Read(text.AsSpan(lineStart, textLength - lineStart));
            valid &= lineValid;
            length = new CsvLine(length.Total + next.Length, next.BreakLength);
            lines++;
        }

        if (quotes.Misplaced)
        {
            return PassFirstLine(
                lines == 1
                    ? "a quote stands inside a field; quote the whole field and double the quotes in it"
                    : $"a quote is opened and not closed: the next one, in line {line + lines - 1}, stands inside a field"
            );
        }

        Pass(length, lines);
        return new CsvRecord(line, text.AsMemory(textStart, textLength - textStart), valid ? null : InvalidBytes());

        CsvRecord PassFirstLine(string defect)
        {
            Pass(first, 1);
            return new CsvRecord(line, text.AsMemory(firstText), isFirstValid ? defect : InvalidBytes());
        }
    }

    private string InvalidBytes() => $"contains bytes that are not valid {Encoding.Name}";

    private static int LengthOfMarks(ReadOnlySpan<char> text)
    {
        var length = text.IndexOfAnyExcept('\uFEFF');
        return length < 0 ? text.Length : length;
    }

    private bool IsBlank(ReadOnlySpan<char> text)
    {
        while (true)
        {
            if (text.StartsWith("\"\"", StringComparison.Ordinal))
            {
                text = text[2..];
            }

            if (text.IsEmpty || text[0] != Delimiter)
            {
                return text.IsEmpty;
            }

            text = text[1..];
        }
    }

    private async ValueTask<CsvRecord> PassLongLineAsync(CancellationToken cancellationToken)
    {
        var line = Line;
        var (textLength, _) = Decode(0, KeptOfLongLine, 0);
        var rest = CsvLine.TooLong;
        while (rest.IsTooLong)
        {
            Pass(new CsvLine(MaxRecordLength, 0), 0);
            rest = await FindLineAsync(0, cancellationToken);
        }

        Pass(rest, 1);
        return new CsvRecord(
            line,
            text.AsMemory(0, textLength),
            $"is longer than {MaxRecordLength:N0} bytes; only its beginning is kept here"
        );
    }

    /// <summary>Finds the line that begins <paramref name="from"/> bytes after the record's start.</summary>
    private async ValueTask<CsvLine> FindLineAsync(int from, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var searched = from;
        while (true)
        {
            var index = Encoding.IndexOfLineBreak(window.AsSpan(start + searched, end - start - searched));
            Work += index < 0 ? end - start - searched : index;
            if (index >= 0)
            {
                var length = searched + index;
                if (length > MaxRecordLength)
                {
                    return CsvLine.TooLong;
                }

                // A CR at the end of the window may be half of a CRLF.
                if (end - start >= length + (2 * Encoding.UnitLength) || atEnd)
                {
                    return new CsvLine(length - from, BreakLength(window.AsSpan(start + length, end - start - length)));
                }

                searched = length;
            }
            else if (end - start > MaxRecordLength)
            {
                return CsvLine.TooLong;
            }
            else if (atEnd)
            {
                return new CsvLine(end - start - from, 0);
            }
            else
            {
                searched = Math.Max(from, (end - start) / Encoding.UnitLength * Encoding.UnitLength);
            }

            await FillAsync(cancellationToken);
        }
    }

    private int BreakLength(ReadOnlySpan<byte> bytes)
    {
        var unit = Encoding.UnitLength;
        var isPair =
            bytes.Length >= 2 * unit
            && Encoding.LineBreakAt(bytes) == '\r'
            && Encoding.IndexOfLineBreak(bytes[unit..(2 * unit)]) == 0
            && Encoding.LineBreakAt(bytes[unit..]) == '\n';
        return isPair ? 2 * unit : unit;
    }

    private async ValueTask FillAsync(CancellationToken cancellationToken)
    {
        if (start > 0)
        {
            window.AsSpan(start, end - start).CopyTo(window);
            end -= start;
            start = 0;
        }

        if (end == window.Length)
        {
            Array.Resize(ref window, window.Length * 2);
        }

        var read = await content.ReadAsync(window.AsMemory(end), cancellationToken);
        end += read;
        atEnd = read == 0;
    }

    private (int TextLength, bool Valid) Decode(int from, int length, int textLength)
    {
        var needed = textLength + Encoding.MaxCharCount(length);
        if (needed > text.Length)
        {
            Array.Resize(ref text, Math.Max(needed, text.Length * 2));
        }

        Work += length;
        var (added, valid) = Encoding.Decode(window.AsSpan(start + from, length), text.AsSpan(textLength));
        return (textLength + added, valid);
    }

    private void Pass(CsvLine line, int lines)
    {
        start += line.Total;
        Position += line.Total;
        Line += lines;
    }

    private readonly record struct CsvLine(int Length, int BreakLength)
    {
        public static CsvLine TooLong { get; } = new(-1, 0);

        public int Total => Length + BreakLength;

        public bool IsEmpty => this is { Length: 0, BreakLength: > 0 };

        public bool IsEnd => this is { Length: 0, BreakLength: 0 };

        public bool IsTooLong => Length < 0;
    }
}

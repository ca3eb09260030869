using Platform.HeavyTasks;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>
/// Cuts a CSV file into records, each with the exact byte offset and the line number where it begins. A record is a line, or as many
/// lines as a quoted field spans. Line breaks (LF, CRLF, CR) are found in the bytes and every line is decoded by itself, so reading
/// depends on nothing before <see cref="Position"/>: whoever goes on there reads the same records as whoever came from the start.
/// </summary>
/// <remarks>
/// Memory is bounded by <see cref="MaxRecordLength"/>. A longer line is one defective record. A quote that is not closed within that
/// length, or before the end of the file, makes one defective record of its line alone, and reading goes on with the next line.
/// </remarks>
internal sealed class CsvRecordReader
{
    /// <summary>Longest record: 1 MiB.</summary>
    public const int MaxRecordLength = 1024 * 1024;

    /// <summary>How much of a longer line is kept as its text, in bytes.</summary>
    public const int KeptOfLongLine = 1000;

    private readonly Stream content;
    private byte[] window = new byte[256 * 1024];
    private char[] text = new char[4096];
    private int start;
    private int end;
    private bool atEnd;

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

    /// <summary>Byte offset of the next record.</summary>
    public long Position { get; private set; }

    /// <summary>Line number at <see cref="Position"/>.</summary>
    public long Line { get; private set; }

    /// <summary>Opens a file at its first record.</summary>
    /// <param name="content">Seekable; read asynchronously.</param>
    /// <param name="declaredEncoding">Name of its encoding, if it has no byte order mark.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="NonRetryableException">The encoding cannot be used.</exception>
    public static async Task<CsvRecordReader> OpenAsync(Stream content, string declaredEncoding, CancellationToken cancellationToken)
    {
        var firstBytes = new byte[3];
        var length = await content.ReadAtLeastAsync(firstBytes, firstBytes.Length, throwOnEndOfStream: false, cancellationToken);
        return new CsvRecordReader(content, CsvEncoding.Detect(firstBytes.AsSpan(0, length), declaredEncoding));
    }

    /// <summary>Goes on at a position that <see cref="Position"/> and <see cref="Line"/> told before.</summary>
    public void GoTo(long position, long line)
    {
        content.Position = position;
        Position = position;
        Line = line;
        start = end = 0;
        atEnd = false;
    }

    /// <summary>The next record; null at the end. Empty lines between records are passed over.</summary>
    public async ValueTask<CsvRecord?> ReadAsync(CancellationToken cancellationToken)
    {
        CsvLine first;
        while ((first = await FindLineAsync(0, cancellationToken)).IsEmpty)
        {
            Pass(first, 1);
        }

        if (first.IsEnd)
        {
            return null;
        }

        return first.IsTooLong ? await PassLongLineAsync(cancellationToken) : await ReadRecordAsync(first, cancellationToken);
    }

    private async ValueTask<CsvRecord> ReadRecordAsync(CsvLine first, CancellationToken cancellationToken)
    {
        var line = Line;
        var (textLength, valid) = Decode(0, first.Length, 0);
        var firstTextLength = textLength;
        var quotes = new CsvQuotes(Delimiter);
        quotes.Read(text.AsSpan(0, textLength));
        var length = first;
        var lines = 1;
        while (quotes.Open)
        {
            var next = await FindLineAsync(length.Total, cancellationToken);
            if (next.IsEnd || next.IsTooLong)
            {
                Pass(first, 1);
                return new CsvRecord(
                    line,
                    text.AsMemory(0, firstTextLength),
                    next.IsEnd
                        ? "a quote is opened and not closed before the end of the file"
                        : $"a quote is opened and not closed within {MaxRecordLength:N0} bytes"
                );
            }

            (textLength, _) = Decode(length.Length, length.BreakLength, textLength);
            var lineStart = textLength;
            (textLength, var lineValid) = Decode(length.Total, next.Length, textLength);
            quotes.Read(text.AsSpan(lineStart, textLength - lineStart));
            valid &= lineValid;
            length = new CsvLine(length.Total + next.Length, next.BreakLength);
            lines++;
        }

        Pass(length, lines);
        return new CsvRecord(line, text.AsMemory(0, textLength), valid ? null : $"contains bytes that are not valid {Encoding.Name}");
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

    /// <summary>The line that begins <paramref name="from"/> bytes after the record's start.</summary>
    private async ValueTask<CsvLine> FindLineAsync(int from, CancellationToken cancellationToken)
    {
        var searched = from;
        while (true)
        {
            var index = Encoding.IndexOfLineBreak(window.AsSpan(start + searched, end - start - searched));
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

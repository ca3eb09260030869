using System.Runtime.InteropServices;
using System.Text;
using Platform.HeavyTasks;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>
/// A text encoding in which line breaks can be found in the bytes, so that every line has an exact byte offset and can be decoded by
/// itself. True of UTF-8, UTF-16, the single-byte code pages and the multi-byte ones listed here, whose second bytes are never a
/// line break; not true of the encodings that switch their state in mid-text.
/// </summary>
internal sealed class CsvEncoding
{
    // Shift_JIS, GBK, UHC, Big5, EUC-JP, EUC-CN, EUC-KR, GB18030.
    private static readonly int[] MultiByteCodePages = [932, 936, 949, 950, 51932, 51936, 51949, 54936];

    private readonly Encoding lenient;
    private readonly Encoding strict;

    static CsvEncoding() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    private CsvEncoding(int codePage, int preambleLength)
    {
        lenient = Encoding.GetEncoding(codePage, EncoderFallback.ReplacementFallback, new DecoderReplacementFallback("\uFFFD"));
        strict = Encoding.GetEncoding(codePage, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
        PreambleLength = preambleLength;
        UnitLength = codePage is 1200 or 1201 ? 2 : 1;
    }

    /// <summary>Name for messages.</summary>
    public string Name => lenient.WebName;

    /// <summary>Bytes of the byte order mark at the start of the file.</summary>
    public int PreambleLength { get; }

    /// <summary>Bytes of the smallest unit: 2 for UTF-16, else 1.</summary>
    public int UnitLength { get; }

    /// <summary>The encoding of a file: that of its byte order mark, else the declared one.</summary>
    /// <exception cref="NonRetryableException">The declared encoding is unknown or cannot be read line by line.</exception>
    public static CsvEncoding Detect(ReadOnlySpan<byte> firstBytes, string declared)
    {
        var codePage = CodePage(declared);
        if (firstBytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
        {
            return new CsvEncoding(65001, 3);
        }

        if (firstBytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]))
        {
            return new CsvEncoding(1200, 2);
        }

        if (firstBytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]))
        {
            return new CsvEncoding(1201, 2);
        }

        return new CsvEncoding(codePage, 0);
    }

    /// <summary>Where the first CR or LF begins, or -1. The bytes begin at the start of a unit.</summary>
    public int IndexOfLineBreak(ReadOnlySpan<byte> bytes)
    {
        if (UnitLength == 1)
        {
            return bytes.IndexOfAny((byte)'\r', (byte)'\n');
        }

        var units = MemoryMarshal.Cast<byte, ushort>(bytes);
        var index =
            lenient.CodePage == 1200 == BitConverter.IsLittleEndian
                ? units.IndexOfAny((ushort)0x000D, (ushort)0x000A)
                : units.IndexOfAny((ushort)0x0D00, (ushort)0x0A00);
        return index < 0 ? -1 : index * 2;
    }

    /// <summary>The CR or LF at a line break.</summary>
    public char LineBreakAt(ReadOnlySpan<byte> bytes) => UnitLength == 1 || lenient.CodePage == 1200 ? (char)bytes[0] : (char)bytes[1];

    /// <summary>The most characters that so many bytes can become.</summary>
    public int MaxCharCount(int byteCount) => lenient.GetMaxCharCount(byteCount);

    /// <summary>Decodes whole lines. Bytes that are not valid become U+FFFD.</summary>
    /// <returns>The number of characters, and whether all bytes were valid.</returns>
    public (int Length, bool Valid) Decode(ReadOnlySpan<byte> bytes, Span<char> chars)
    {
        var length = lenient.GetChars(bytes, chars);
        return (length, !chars[..length].Contains('\uFFFD') || IsValid(bytes));
    }

    private bool IsValid(ReadOnlySpan<byte> bytes)
    {
        try
        {
            strict.GetCharCount(bytes);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    private static int CodePage(string name)
    {
        Encoding encoding;
        try
        {
            encoding = Encoding.GetEncoding(name);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            throw new NonRetryableException(
                $"Parameter encoding: '{name}' is not a known encoding. Use a name such as utf-8, utf-16 or windows-1252.",
                exception
            );
        }

        if (
            encoding.CodePage is 65001 or 1200 or 1201
            || MultiByteCodePages.Contains(encoding.CodePage)
            || (encoding.IsSingleByte && encoding.GetBytes("\r\n").AsSpan().SequenceEqual("\r\n"u8))
        )
        {
            return encoding.CodePage;
        }

        throw new NonRetryableException(
            $"Parameter encoding: '{name}' cannot be read line by line. Convert the file to utf-8, utf-16 or a code page whose line breaks are those of ASCII."
        );
    }
}

using System.Runtime.InteropServices;
using System.Text;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>
/// A text encoding whose line breaks can be found in the bytes, so that every line has an exact byte offset and can be decoded by itself.
/// This is true of UTF-8, UTF-16, the single-byte code pages, and those multi-byte ones whose second bytes are never a line break
/// (<see cref="CsvEncodingNames"/>). It is not true of encodings that switch their state in mid-text.
/// </summary>
internal sealed class CsvEncoding
{
    private readonly Encoding lenient;
    private readonly Encoding strict;

    static CsvEncoding() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    private CsvEncoding(int codePage, int preambleLength)
    {
        var secondCodes = SecondCodes.Of(codePage);
        lenient = Encoding.GetEncoding(
            codePage,
            EncoderFallback.ReplacementFallback,
            secondCodes.Count == 0 ? new DecoderReplacementFallback("\uFFFD") : new SecondCodesFallback(secondCodes, isStrict: false)
        );
        strict = Encoding.GetEncoding(
            codePage,
            EncoderFallback.ExceptionFallback,
            secondCodes.Count == 0 ? DecoderFallback.ExceptionFallback : new SecondCodesFallback(secondCodes, isStrict: true)
        );
        PreambleLength = preambleLength;
        UnitLength = codePage is 1200 or 1201 ? 2 : 1;
    }

    /// <summary>The name of the encoding, for messages.</summary>
    public string Name => lenient.WebName;

    /// <summary>The length in bytes of the byte order mark at the start of the file.</summary>
    public int PreambleLength { get; }

    /// <summary>The length in bytes of the smallest unit: 2 for UTF-16, else 1.</summary>
    public int UnitLength { get; }

    /// <summary>Finds the encoding of a file: that of its byte order mark, else the declared one.</summary>
    /// <exception cref="NonRetryableException">The declared encoding is unknown or cannot be read line by line.</exception>
    public static CsvEncoding Detect(ReadOnlySpan<byte> firstBytes, string declared)
    {
        if (!CsvEncodingNames.TryFind(declared, out var codePage))
        {
            throw new NonRetryableException($"Parameter encoding: {CsvEncodingNames.Refusal(declared)}");
        }

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

    /// <summary>Finds where the first CR or LF begins, or -1. The bytes must begin at the start of a unit.</summary>
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

    /// <summary>Reads the CR or LF at a line break.</summary>
    public char LineBreakAt(ReadOnlySpan<byte> bytes) => UnitLength == 1 || lenient.CodePage == 1200 ? (char)bytes[0] : (char)bytes[1];

    /// <summary>The most characters that a number of bytes can decode to.</summary>
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
}

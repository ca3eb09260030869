using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Platform.Persistence;

/// <summary>
/// The text encodings that an import can read, by every usual name: <c>utf-8</c>, <c>UTF8</c>, <c>latin1</c>, <c>cp1252</c>, <c>sjis</c>,
/// <c>windows-31j</c>, <c>932</c>. Upper and lower case, hyphens, underscores and spaces do not count.
/// </summary>
public static class CsvEncodingNames
{
    /// <summary>Names for messages, which are not all.</summary>
    public const string Known =
        "utf-8, utf-16, utf-16be, us-ascii, iso-8859-1 to iso-8859-9, iso-8859-13, iso-8859-15, windows-1250 to windows-1258, windows-874, "
        + "koi8-r, koi8-u, macintosh, cp437, cp850, cp852, cp866, shift_jis, euc-jp, gb2312, gbk, gb18030, big5, euc-kr, cp949";

    // Shift_JIS, GBK, UHC, Big5, EUC-JP, EUC-CN, EUC-KR, GB18030: their second bytes are never a line break.
    private static readonly FrozenSet<int> MultiByteCodePages = [932, 936, 949, 950, 51932, 51936, 51949, 54936];

    private static readonly string[] NumberPrefixes = ["", "cp", "windows", "win", "ms", "ibm", "dos", "codepage", "x"];

    private static readonly FrozenDictionary<string, int> Aliases = new Dictionary<string, int>(StringComparer.Ordinal)
    {
        ["utf8sig"] = 65001,
        ["utf8bom"] = 65001,
        ["utf8mb3"] = 65001,
        ["utf8mb4"] = 65001,
        ["utf16le"] = 1200,
        ["ucs2"] = 1200,
        ["ucs2le"] = 1200,
        ["unicode"] = 1200,
        ["ucs2be"] = 1201,
        ["ascii"] = 20127,
        ["iso646us"] = 20127,
        ["latin1"] = 28591,
        ["isolatin1"] = 28591,
        ["l1"] = 28591,
        ["latin2"] = 28592,
        ["latin3"] = 28593,
        ["latin4"] = 28594,
        ["cyrillic"] = 28595,
        ["arabic"] = 28596,
        ["greek"] = 28597,
        ["hebrew"] = 28598,
        ["latin5"] = 28599,
        ["latin7"] = 28603,
        ["latin9"] = 28605,
        ["latin0"] = 28605,
        ["tis620"] = 874,
        ["iso885911"] = 874,
        ["mac"] = 10000,
        ["macroman"] = 10000,
        ["sjis"] = 932,
        ["xsjis"] = 932,
        ["mskanji"] = 932,
        ["windows31j"] = 932,
        ["cswindows31j"] = 932,
        ["eucjp"] = 51932,
        ["xeucjp"] = 51932,
        ["ujis"] = 51932,
        ["euccn"] = 51936,
        ["gbk"] = 936,
        ["big5tw"] = 950,
        ["euckr"] = 51949,
        ["ksc5601"] = 949,
        ["uhc"] = 949,
        ["koi8"] = 20866,
        ["koi8ru"] = 21866,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, int> Names = ReadableNames();

    /// <summary>Finds the code page of an encoding that can be read line by line.</summary>
    /// <param name="name">Its name, or the number of the code page.</param>
    /// <param name="codePage">The code page.</param>
    /// <returns>Whether there is such an encoding and it can be read.</returns>
    public static bool TryFind(string name, out int codePage)
    {
        ArgumentNullException.ThrowIfNull(name);
        codePage = 0;
        if (name.AsSpan().ContainsAnyExcept(NameCharacters))
        {
            return false;
        }

        var key = Key(name);
        if (Aliases.TryGetValue(key, out codePage) || Names.TryGetValue(key, out codePage))
        {
            return true;
        }

        var digits = key.AsSpan().TrimStart("abcdefghijklmnopqrstuvwxyz");
        if (
            NumberPrefixes.Contains(key[..^digits.Length])
            && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out codePage)
        )
        {
            return CanBeRead(codePage);
        }

        // The framework knows more names of the same encodings, such as csISOLatin1.
        try
        {
            codePage = Encoding.GetEncoding(name).CodePage;
            return CanBeRead(codePage);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>Why a name that <see cref="TryFind"/> does not find is refused, in one sentence, with the names that would do.</summary>
    public static string Refusal(string name) =>
        $"{VisibleText.Quote(name)} is not an encoding that can be read line by line. Use one of {Known}, another single-byte code page by its number, or convert the file to utf-8.";

    private static readonly System.Buffers.SearchValues<char> NameCharacters = System.Buffers.SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_ .:"
    );

    private static FrozenDictionary<string, int> ReadableNames()
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var names = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var info in Encoding.GetEncodings())
        {
            if (CanBeRead(info.CodePage))
            {
                names.TryAdd(Key(info.Name), info.CodePage);
            }
        }

        return names.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static bool CanBeRead(int codePage)
    {
        if (codePage is 65001 or 1200 or 1201 || MultiByteCodePages.Contains(codePage))
        {
            return true;
        }

        try
        {
            // In a code page of mainframes a line break is another byte.
            return codePage > 0
                && Encoding.GetEncoding(codePage) is { IsSingleByte: true } encoding
                && encoding.GetBytes("\r\n").AsSpan().SequenceEqual("\r\n"u8);
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    private static string Key(string name) => string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
}

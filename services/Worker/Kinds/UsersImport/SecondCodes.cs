using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text;

namespace Platform.Worker.Kinds.UsersImport;

/// <summary>
/// The second codes that some letters have in a double-byte code page. Windows' code pages 932 (what is called Shift_JIS in practice) and 950
/// (Big5) have several hundred: the letters that NEC selected from IBM's stand in both places. The decoder knows only the one that it would
/// write, and takes the other one for an error unless its errors are guessed at; so what it guesses is asked once for every code.
/// </summary>
internal static class SecondCodes
{
    private static readonly ConcurrentDictionary<int, FrozenDictionary<ushort, char>> ByCodePage = new();

    private static readonly FrozenDictionary<ushort, char> None = FrozenDictionary<ushort, char>.Empty;

    /// <summary>The letters by their second code: lead byte times 256 plus trail byte.</summary>
    public static FrozenDictionary<ushort, char> Of(int codePage) =>
        codePage is 932 or 936 or 949 or 950 ? ByCodePage.GetOrAdd(codePage, Find) : None;

    private static FrozenDictionary<ushort, char> Find(int codePage)
    {
        var known = Encoding.GetEncoding(codePage, EncoderFallback.ReplacementFallback, new DecoderReplacementFallback("\uFFFD"));
        var guessing = Encoding.GetEncoding(codePage);
        var codes = new Dictionary<ushort, char>();
        Span<char> letters = stackalloc char[4];
        for (var code = 0x8140; code <= 0xFEFE; code++)
        {
            byte[] bytes = [(byte)(code >> 8), (byte)code];
            if (
                known.GetChars(bytes, letters) == 1
                && letters[0] == '\uFFFD'
                && guessing.GetChars(bytes, letters) == 1
                && letters[0] is not ('?' or '\u30FB' or '\uFFFD')
            )
            {
                codes[(ushort)code] = letters[0];
            }
        }

        return codes.ToFrozenDictionary();
    }
}

/// <summary>Decodes second codes to their letters. Other bytes become U+FFFD, or an exception.</summary>
internal sealed class SecondCodesFallback(FrozenDictionary<ushort, char> codes, bool isStrict) : DecoderFallback
{
    public override int MaxCharCount => 1;

    public override DecoderFallbackBuffer CreateFallbackBuffer() => new Buffer(codes, isStrict);

    private sealed class Buffer(FrozenDictionary<ushort, char> codes, bool isStrict) : DecoderFallbackBuffer
    {
        private char letter;
        private bool isThere;
        private bool isGiven;

        public override int Remaining => isThere && !isGiven ? 1 : 0;

        public override bool Fallback(byte[] bytesUnknown, int index)
        {
            isThere = true;
            isGiven = false;
            if (bytesUnknown is [var lead, var trail] && codes.TryGetValue((ushort)((lead << 8) | trail), out letter))
            {
                return true;
            }

            letter = '\uFFFD';
            return isStrict ? throw new DecoderFallbackException("The bytes are not valid.", bytesUnknown, index) : true;
        }

        public override char GetNextChar()
        {
            if (Remaining == 0)
            {
                return '\0';
            }

            isGiven = true;
            return letter;
        }

        public override bool MovePrevious()
        {
            var isBack = isThere && isGiven;
            isGiven = false;
            return isBack;
        }

        public override void Reset() => isThere = isGiven = false;
    }
}

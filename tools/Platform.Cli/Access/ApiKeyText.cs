using System.Text.RegularExpressions;

namespace Platform.Cli.Access;

/// <summary>Recognises keys, <c>platform_ID_SECRET</c>, where they should not be, so that no message repeats them.</summary>
internal static partial class ApiKeyText
{
    /// <summary>Whether a text is a key, or has one in it.</summary>
    public static bool Contains(string text) => Key().IsMatch(text);

    /// <summary>Whether a text has the form of a key's id.</summary>
    public static bool IsId(string text) => text.Length is 16 && text.All(char.IsAsciiHexDigit);

    [GeneratedRegex("platform_[0-9a-f]{16}_[0-9a-f]", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Key();
}

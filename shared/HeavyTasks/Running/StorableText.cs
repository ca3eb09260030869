using System.Text;

namespace Platform.HeavyTasks;

/// <summary>Makes text of unknown origin, such as an exception's message, safe to store in every database.</summary>
internal static class StorableText
{
    /// <summary>Removes the null character, which PostgreSQL does not store, and unpaired surrogates, which cannot be encoded.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="maxLength">The longest result, in UTF-16 units; longer text is cut.</param>
    public static string Of(string text, int maxLength = int.MaxValue)
    {
        var cut = text.Length <= maxLength ? text : text[..(char.IsHighSurrogate(text[maxLength - 1]) ? maxLength - 1 : maxLength)];
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(cut)).Replace('\0', '?');
    }

    /// <summary>Whether every database stores the text as it is.</summary>
    public static bool IsStorable(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0' || (char.IsSurrogate(text[i]) && !char.IsSurrogatePair(text, i++)))
            {
                return false;
            }
        }

        return true;
    }
}

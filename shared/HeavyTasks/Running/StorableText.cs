using System.Text;

namespace Platform.HeavyTasks;

/// <summary>Text of unknown origin, such as an exception's message, as every database takes it.</summary>
internal static class StorableText
{
    /// <summary>Without the character zero, which PostgreSQL does not store, and without halves of characters, which cannot be encoded.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="maxLength">In UTF-16 units; what is longer is cut.</param>
    public static string Of(string text, int maxLength = int.MaxValue)
    {
        var cut = text.Length <= maxLength ? text : text[..(char.IsHighSurrogate(text[maxLength - 1]) ? maxLength - 1 : maxLength)];
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(cut)).Replace('\0', '?');
    }
}

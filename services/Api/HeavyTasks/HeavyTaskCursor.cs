using System.Buffers.Text;
using Platform.Api.Problems;

namespace Platform.Api.HeavyTasks;

/// <summary>A place in the list of tasks, as text that clients hand back unread.</summary>
internal static class HeavyTaskCursor
{
    private const int Length = 16;

    /// <summary>The cursor that goes on after a task.</summary>
    public static string Write(Guid last) => Base64Url.EncodeToString(last.ToByteArray(bigEndian: true));

    /// <summary>The last task of the page before; null for the first page. A bad cursor is added to <paramref name="errors"/>.</summary>
    public static Guid? Read(string? cursor, FieldErrors errors)
    {
        if (string.IsNullOrEmpty(cursor))
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[Length];
        if (
            cursor.Length < 2 * Length
            && Base64Url.IsValid(cursor, out var length)
            && length == Length
            && Base64Url.TryDecodeFromChars(cursor, bytes, out var written)
            && written == Length
        )
        {
            return new Guid(bytes, bigEndian: true);
        }

        errors.Add("cursor", "This is not a cursor that a list returned.");
        return null;
    }
}

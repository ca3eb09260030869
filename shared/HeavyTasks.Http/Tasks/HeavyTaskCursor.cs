using System.Buffers.Text;

namespace Platform.HeavyTasks.Http;

/// <summary>A position in the list of tasks, as opaque text that clients send back unchanged.</summary>
internal static class HeavyTaskCursor
{
    private const int Length = 16;

    /// <summary>Writes the cursor of the page that follows a task.</summary>
    public static string Write(Guid last) => Base64Url.EncodeToString(last.ToByteArray(bigEndian: true));

    /// <summary>Reads the last task of the page before; null for the first page. Adds a bad cursor to <paramref name="errors"/>.</summary>
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

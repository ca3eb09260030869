using System.Buffers;

namespace Platform.Cli.Users;

/// <summary>Writes rows as RFC 4180 defines them: CRLF at the end, quotes where needed, and doubled quotes inside quotes.</summary>
internal static class CsvRow
{
    /// <summary>The header of a file of users, and the names of its columns for <c>users.import</c>.</summary>
    public static readonly string[] UserColumns = ["externalId", "name", "email", "country", "signedUpAt"];

    private static readonly SearchValues<char> needQuotes = SearchValues.Create(",\"\r\n");

    public static void Write(TextWriter writer, params ReadOnlySpan<string> fields)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            if (i > 0)
            {
                writer.Write(',');
            }

            if (fields[i].AsSpan().IndexOfAny(needQuotes) < 0)
            {
                writer.Write(fields[i]);
            }
            else
            {
                writer.Write('"');
                writer.Write(fields[i].Replace("\"", "\"\"", StringComparison.Ordinal));
                writer.Write('"');
            }
        }

        writer.Write("\r\n");
    }

    /// <summary>Counts the rows of a file, including the header.</summary>
    public static async Task<long> CountAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(path);
        var buffer = new byte[128 * 1024];
        var (rows, isQuoted, last) = (0L, false, (byte)'\n');
        int read;
        while ((read = await file.ReadAsync(buffer, cancellationToken)) > 0)
        {
            foreach (var value in buffer.AsSpan(0, read))
            {
                // A quote inside quotes is written twice, so it switches the state twice and changes nothing.
                isQuoted ^= value is (byte)'"';
                rows += value is (byte)'\n' && !isQuoted ? 1 : 0;
                last = value;
            }
        }

        // The last row may lack its end.
        return last is (byte)'\n' ? rows : rows + 1;
    }
}

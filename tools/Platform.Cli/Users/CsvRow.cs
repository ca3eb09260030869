using System.Buffers;

namespace Platform.Cli.Users;

/// <summary>Writes rows as RFC 4180 says: CRLF, quotes where they are needed and doubled inside.</summary>
internal static class CsvRow
{
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
}

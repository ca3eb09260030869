using System.Globalization;
using System.Text;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Tests.Kinds.UsersImport;

/// <summary>
/// Writes a CSV file with everything that real files contain, and knows what an import must make of it. The columns are note, id, name,
/// mail, land, since; the note is not mapped.
/// </summary>
internal sealed class NastyCsv
{
    private readonly List<byte> bytes = [];
    private readonly Encoding encoding;
    private readonly char delimiter;
    private readonly string newLine;
    private int line = 1;

    public NastyCsv(Encoding encoding, bool byteOrderMark, char delimiter, string newLine)
    {
        this.encoding = encoding;
        this.delimiter = delimiter;
        this.newLine = newLine;
        if (byteOrderMark)
        {
            bytes.AddRange(encoding.GetPreamble());
        }

        Blank();
        Write(Join("note", "id", "name", "mail", "land", "since") + newLine);
    }

    /// <summary>The users that must exist afterwards.</summary>
    public List<UserRow> Users { get; } = [];

    /// <summary>The rows of rejected.csv.</summary>
    public List<(int Line, string Reason, string Text)> Rejected { get; } = [];

    /// <summary>The number of rows whose external id appeared earlier in the file.</summary>
    public int Repeated { get; private set; }

    public byte[] Bytes => [.. bytes];

    public int Rows => Users.Count + Repeated + Rejected.Count;

    /// <summary>Adds all kinds of rows, <paramref name="rounds"/> times.</summary>
    /// <param name="text">Letters that the encoding can express.</param>
    /// <param name="rounds">The number of rounds, each with thirteen good, two repeated and eleven bad rows.</param>
    public NastyCsv Fill(string text, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            Good($"{round}-plain", $"Ada {text}");
            Good($"{round}-full", "Grace", "grace@example.org", text, "2024-02-29T12:30:00+01:00");
            Good($"{round}-delimiter", $"Hopper{delimiter} Grace", country: "A,B;C\tD|E");
            Good($"{round}-quotes", "\"The\" \"\"\"Compiler\"", note: "\"");
            Blank();
            Good($"{round}-lines", $"two{newLine}lines", note: $"{newLine}{newLine}\"{newLine}");
            Good($"{round}-breaks", "a\rb\nc\r\nd");
            Good($"{round}-spaces", "  kept  ", note: " ");
            Good($"{round}-formula", "=1+1", "+1", "@SUM(A1)");
            Good($"{round}-date", "Barbara", signedUpAt: "1999-12-31");
            Good($"{round}-{text}", text, note: text);
            Good(
                $"{round}-{new string('i', User.MaxExternalIdLength - 12)}",
                new string('n', User.MaxNameLength),
                new string('m', User.MaxEmailLength),
                new string('c', User.MaxCountryLength)
            );
            Repeat($"{round}-plain");
            Repeat($"{round}-lines");

            Bad(Join("", "", "no id", "", "", ""), "externalId is missing");
            Bad(Join("", $"{round}-no name", "", "", "", ""), "name is missing");
            Bad(
                Join("", $"{round}-date", "x", "", "", "31.12.1999"),
                "signedUpAt is not a time that exists in a form that is read: 2024-01-31, 2024-01-31T23:59 or 2024-01-31T23:59:58.123456, with an offset such as Z or +02:00, or without one in UTC"
            );
            Bad(Join("", $"{round}-long", new string('n', User.MaxNameLength + 1), "", "", ""), "name is longer than 200 characters");
            Bad(Join($"{round}-few", "x"), "has 2 fields where the header has 6");
            Bad(Join("", $"{round}-many", "x", "", "", "", "", text), "has 8 fields where the header has 6");
            Bad(
                Join("", $"{round}-inside", "x", "", "", "") + "5\"",
                "a quote stands inside a field; quote the whole field and double the quotes in it"
            );
            Bad(
                $"{Join("", $"{round}-after")}{delimiter}\"x\"y{delimiter}{delimiter}{delimiter}",
                "a quote stands inside a field; quote the whole field and double the quotes in it"
            );
            Bad($"\"two{newLine}lines\"{Join("", $"{round}-lines bad", "", "", "", "")}", "name is missing");
            Bad(Join("", $"{round}-nul", "a\0b", "", "", ""), "name contains a NUL character");
            Write(Join("", "", "", "", "", "") + newLine);
            Bad(
                Join("", $"{round}-open") + $"{delimiter}\"Ann",
                $"a quote is opened and not closed: the next one, in line {line + 2}, stands inside a field"
            );
            Good($"{round}-after open", "Bob");
            Good($"{round}-after open too", $"Cid{delimiter}");
        }

        return this;
    }

    /// <summary>Adds a row with bytes that are not valid in the encoding.</summary>
    public void AddInvalidBytes(params byte[] invalid)
    {
        Rejected.Add((line, $"contains bytes that are not valid {encoding.WebName}", Join("", "invalid", "\uFFFD", "", "", "")));
        Write(Join("", "invalid", ""), countLines: false);
        bytes.AddRange(invalid);
        Write($"{delimiter}{delimiter}{delimiter}{newLine}");
    }

    /// <summary>Ends the file with a quote that is never closed, followed by a good row without a line break.</summary>
    public void EndWithOpenQuote()
    {
        Bad(Join("", "open") + delimiter + "\"x", "a quote is opened and not closed before the end of the file");
        Users.Add(new UserRow("last", "Last", null, null, null));
        Write(Join("", "last", "Last", "", "", ""));
    }

    private void Good(string externalId, string name, string email = "", string country = "", string signedUpAt = "", string note = "")
    {
        DateTime? time =
            signedUpAt.Length == 0
                ? null
                : DateTime.Parse(
                    signedUpAt,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal
                );
        Users.Add(new UserRow(externalId, name, email.Length == 0 ? null : email, country.Length == 0 ? null : country, time));
        Write(Join(note, externalId, name, email, country, signedUpAt) + newLine);
    }

    private void Repeat(string externalId)
    {
        Repeated++;
        Write(Join("", externalId, "Somebody else", "", "", "") + newLine);
    }

    private void Bad(string text, string reason)
    {
        Rejected.Add((line, reason, text));
        Write(text + newLine);
    }

    private void Blank() => Write(newLine);

    private string Join(params string[] fields) => string.Join(delimiter, fields.Select(Quote));

    private string Quote(string field) =>
        field.AsSpan().IndexOfAny([delimiter, '"', '\r', '\n']) < 0
            ? field
            : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private void Write(string text, bool countLines = true)
    {
        bytes.AddRange(encoding.GetBytes(text));
        line += countLines ? text.Replace("\r\n", "\n", StringComparison.Ordinal).Count(c => c is '\r' or '\n') : 0;
    }
}

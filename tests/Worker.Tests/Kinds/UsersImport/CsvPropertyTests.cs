using System.Globalization;
using System.Text;
using CsCheck;
using CsvHelper;
using CsvHelper.Configuration;
using Platform.Worker.Kinds.UsersImport;

namespace Platform.Worker.Tests.Kinds.UsersImport;

/// <summary>What holds for every file, tried on made-up ones. A failure prints the file and the seed that makes it again.</summary>
public sealed class CsvPropertyTests
{
    private const int MaxWorkPerByte = 7;

    private static readonly Gen<string> LineBreak = Gen.OneOf("\n", "\r\n", "\r");

    private static readonly Gen<string> Field = Gen.OneOf(
            "",
            "a",
            "b ",
            "\"",
            "\"\"",
            ",",
            ";",
            "\n",
            "\r\n",
            "\r",
            "é",
            "名",
            "😀",
            "=",
            "\uFEFF"
        )
        .Array[0, 5]
        .Select(string.Concat);

    private static readonly Gen<char> Delimiter = Gen.OneOf(',', ';', '\t', '|');

    private static readonly Gen<string> Text = Gen.OneOf("\"", "\"", "\"\"", ",", ",", "\n", "\r", "\r\n", "a", "é", "😀")
        .Array[0, 60]
        .Select(string.Concat);

    /// <summary>A well-formed file: its text, and its fields.</summary>
    private static readonly Gen<(string Text, char Delimiter, string[][] Records)> WellFormed =
        from delimiter in Delimiter
        from records in Field.Array[1, 4].Where(fields => fields.Any(f => f.Length > 0)).Array[0, 8]
        from quoteAll in Gen.Bool
        from breaks in LineBreak.Array[records.Length]
        from endsWithBreak in Gen.Bool
        select (Write(records, delimiter, quoteAll, breaks, endsWithBreak), delimiter, records);

    [Fact]
    public void A_well_formed_file_is_read_as_CsvHelper_reads_it() =>
        WellFormed.Sample(
            file =>
            {
                var bytes = Encoding.UTF8.GetBytes(file.Text);
                var records = Read(bytes, file.Delimiter, out _);
                var fields = new CsvFields(file.Delimiter);
                var actual = records.ConvertAll(r =>
                {
                    r.Defect.ShouldBeNull(file.Text);
                    fields.Read(r.Text.AsMemory());
                    return Joined(Enumerable.Range(0, fields.Count).Select(i => fields[i]));
                });

                actual.ShouldBe(file.Records.Select(Joined), file.Text);
                actual.ShouldBe(WithCsvHelper(file.Text, file.Delimiter), file.Text);
            },
            iter: 20_000
        );

    [Fact]
    public void Any_text_is_cut_into_lines_none_of_which_is_lost_and_every_good_record_is_well_formed() =>
        Text.Sample(
            text =>
            {
                var bytes = Encoding.UTF8.GetBytes(text);
                var records = Read(bytes, ',', out var work);

                work.ShouldBeLessThanOrEqualTo(MaxWorkPerByte * bytes.Length);
                var lines = text.ReplaceLineEndings("\n").Split('\n');
                var line = 1L;
                foreach (var record in records)
                {
                    while (line < record.Line)
                    {
                        // Only blank lines are passed over.
                        lines[line - 1].ShouldNotContain('a', text);
                        line++;
                    }

                    var recordLines = record.Text.ReplaceLineEndings("\n").Split('\n');
                    lines.Skip((int)record.Line - 1).Take(recordLines.Length).ShouldBe(recordLines, text);
                    if (record.Defect is null)
                    {
                        WithCsvHelper(record.Text, ',').ShouldHaveSingleItem(text).ShouldNotBe("bad quotes", text);
                    }
                    else
                    {
                        recordLines.Length.ShouldBe(1, text);
                        record.Text.ShouldContain('"', text);
                    }

                    line += recordLines.Length;
                }
            },
            iter: 20_000
        );

    [Fact]
    public void Work_is_linear_in_a_long_file_of_any_repeated_lines() =>
        Gen.Select(Text, LineBreak, Text)
            .Sample(
                (first, lineBreak, repeated) =>
                {
                    var unit = repeated + lineBreak;
                    var bytes = Encoding.UTF8.GetBytes(first + string.Concat(Enumerable.Repeat(unit, 100_000 / unit.Length)));

                    Read(bytes, ',', out var work);

                    work.ShouldBeLessThanOrEqualTo(MaxWorkPerByte * bytes.Length);
                },
                iter: 300
            );

    private static string Write(string[][] records, char delimiter, bool quoteAll, string[] breaks, bool endsWithBreak)
    {
        var text = new StringBuilder();
        foreach (var (index, record) in records.Index())
        {
            text.AppendJoin(
                delimiter,
                record.Select(
                    (field, i) =>
                        quoteAll
                        || (index == 0 && i == 0 && field.StartsWith('\uFEFF'))
                        || field.AsSpan().ContainsAny([delimiter, '"', '\r', '\n'])
                            ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
                            : field
                )
            );
            text.Append(index < records.Length - 1 || endsWithBreak ? breaks[index] : "");
        }

        return text.ToString();
    }

    private static List<(long Line, string Text, string? Defect)> Read(byte[] bytes, char delimiter, out long work)
    {
        using var content = new MemoryStream(bytes);
        var reader = CsvRecordReader.OpenAsync(content, "utf-8", CancellationToken.None).GetAwaiter().GetResult();
        reader.Delimiter = delimiter;
        var records = new List<(long, string, string?)>();
        while (reader.ReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult() is { } record)
        {
            records.Add((record.Line, record.Text.ToString(), record.Defect));
        }

        reader.Position.ShouldBe(bytes.Length);
        work = reader.Work;
        return records;
    }

    private static List<string> WithCsvHelper(string text, char delimiter)
    {
        var isBad = false;
        var configuration = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = delimiter.ToString(),
            BadDataFound = _ => isBad = true,
            DetectColumnCountChanges = false,
        };
        using var parser = new CsvParser(new StringReader(text), configuration);
        var records = new List<string>();
        while (parser.Read())
        {
            isBad = false;
            var fields = Joined(parser.Record!);
            records.Add(isBad ? "bad quotes" : fields);
        }

        return records;
    }

    private static string Joined(IEnumerable<string> fields) => string.Join('¦', fields);
}

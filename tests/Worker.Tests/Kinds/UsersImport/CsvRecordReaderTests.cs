using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using Platform.Worker.Kinds.UsersImport;

namespace Platform.Worker.Tests.Kinds.UsersImport;

public sealed class CsvRecordReaderTests
{
    private sealed record Read(long Line, string Text, string? Defect, long NextPosition, long NextLine);

    [Fact]
    public async Task Every_record_has_its_line_number_and_byte_offset_whatever_ends_the_lines()
    {
        var bytes = "a,ä\n\r\nb,\"1\r\n2\n\r3\"\rc\r\r\nd"u8.ToArray();

        var records = await ReadAllAsync(bytes);

        records.ShouldBe([
            new Read(1, "a,ä", null, 5, 2),
            new Read(3, "b,\"1\r\n2\n\r3\"", null, 19, 7),
            new Read(7, "c", null, 21, 8),
            new Read(9, "d", null, 24, 10),
        ]);
    }

    [Theory]
    [InlineData("utf-8", "")]
    [InlineData("utf-8", "EFBBBF")]
    [InlineData("utf-16", "")]
    [InlineData("utf-16", "FFFE")]
    [InlineData("utf-16BE", "")]
    [InlineData("utf-16BE", "FEFF")]
    [InlineData("shift_jis", "")]
    [InlineData("gb18030", "")]
    [InlineData("euc-jp", "")]
    [InlineData("euc-kr", "")]
    public async Task Text_is_the_same_in_every_encoding(string encodingName, string byteOrderMark)
    {
        // In Shift_JIS the second byte of ポ is a bar and that of 表 a backslash.
        const string Text = "id|名\r\n1|ポ表\n2|\"表\r|ポ\"\n";
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var encoding = Encoding.GetEncoding(encodingName);
        byte[] bytes = [.. Convert.FromHexString(byteOrderMark), .. encoding.GetBytes(Text)];

        var records = await ReadAllAsync(bytes, byteOrderMark.Length == 0 ? encodingName : "us-ascii", delimiter: '|');

        records.Select(r => r.Text).ShouldBe(["id|名", "1|ポ表", "2|\"表\r|ポ\""]);
        records.Select(r => r.Line).ShouldBe([1, 2, 3]);
        records.ShouldAllBe(r => r.Defect == null);
    }

    [Fact]
    public async Task Records_are_cut_where_CsvHelper_cuts_them()
    {
        var random = new Random(20240131);
        for (var round = 0; round < 20_000; round++)
        {
            var text = RandomText(random, "ab,,\"\"\"\n\r", random.Next(1, 40));
            var records = await ReadAllAsync(Encoding.UTF8.GetBytes(text));
            if (records.Exists(r => r.Defect is not null))
            {
                records.ShouldAllBe(r => r.Defect == null || r.Defect.Contains("not closed before the end"), text);
                continue;
            }

            using var fields = new CsvFields(',');
            var actual = records.ConvertAll(r => fields.Read(r.Text.AsMemory()) is null ? Fields(fields) : "bad quotes");
            actual.ShouldBe(WithCsvHelper(text), text);
        }
    }

    [Fact]
    public async Task Reading_goes_on_at_any_position_as_if_it_came_from_the_start()
    {
        var random = new Random(7);
        for (var round = 0; round < 300; round++)
        {
            var text = RandomText(random, "aé€😀,,\"\"\n\r\n", random.Next(1, 80));
            var bytes = Encoding.UTF8.GetBytes(text);
            var all = await ReadAllAsync(bytes);
            for (var i = 0; i < all.Count; i++)
            {
                var rest = await ReadAllAsync(bytes, from: (all[i].NextPosition, all[i].NextLine), bytesPerRead: random.Next(1, 5));
                rest.ShouldBe(all.Skip(i + 1), text);
            }
        }
    }

    [Fact]
    public async Task A_quote_that_is_never_closed_costs_its_line_only()
    {
        var records = await ReadAllAsync("1,a\n2,\"b\n3,c\n4,d"u8.ToArray());

        records.Select(r => r.Text).ShouldBe(["1,a", "2,\"b", "3,c", "4,d"]);
        records.Select(r => r.Line).ShouldBe([1, 2, 3, 4]);
        records[1].Defect.ShouldBe("a quote is opened and not closed before the end of the file");
    }

    [Fact]
    public async Task A_quote_that_stays_open_too_long_costs_its_line_only_and_no_memory()
    {
        var lines = Enumerable.Range(1, 400_000).Select(n => n == 3 ? "3,\"x" : $"{n},y").ToArray();
        var bytes = Encoding.ASCII.GetBytes(string.Join('\n', lines) + "\n400001,\"z\"\n");

        var records = await ReadAllAsync(bytes);

        records.Count.ShouldBe(400_001);
        records
            .Where(r => r.Defect is not null)
            .ShouldHaveSingleItem()
            .ShouldBe(new Read(3, "3,\"x", "a quote is opened and not closed within 1,048,576 bytes", 13, 4));
        records[^1].Line.ShouldBe(400_001);
    }

    [Theory]
    [InlineData(CsvRecordReader.MaxRecordLength, null)]
    [InlineData(CsvRecordReader.MaxRecordLength + 1, "is longer than 1,048,576 bytes; only its beginning is kept here")]
    [InlineData((CsvRecordReader.MaxRecordLength * 3) + 5, "is longer than 1,048,576 bytes; only its beginning is kept here")]
    public async Task A_line_that_is_too_long_is_passed_over(int length, string? defect)
    {
        var bytes = Encoding.ASCII.GetBytes("a\r\n" + new string('b', length) + "\r\nc\r\n");

        var records = await ReadAllAsync(bytes);

        records.Count.ShouldBe(3);
        records[1].Defect.ShouldBe(defect);
        records[1].Text.Length.ShouldBe(defect is null ? length : CsvRecordReader.KeptOfLongLine);
        records[2].ShouldBe(new Read(3, "c", null, length + 8, 4));
    }

    [Fact]
    public async Task A_record_of_several_lines_is_too_long_as_a_whole()
    {
        var half = new string('b', CsvRecordReader.MaxRecordLength / 2);
        var bytes = Encoding.ASCII.GetBytes($"1,\"{half}\n{half}\"\n2,\"{half}\"\n");

        var records = await ReadAllAsync(bytes);

        records
            .Select(r => (r.Line, r.Defect))
            .ShouldBe([(1, "a quote is opened and not closed within 1,048,576 bytes"), (2, null), (3, null)]);
    }

    [Fact]
    public async Task Bytes_that_are_not_valid_spoil_their_record_alone()
    {
        byte[] bytes = [.. "1,a\n2,"u8, 0xC3, .. "\n3,\uFFFD\n"u8];

        var records = await ReadAllAsync(bytes);

        records
            .Select(r => (r.Text, r.Defect))
            .ShouldBe([("1,a", null), ("2,\uFFFD", "contains bytes that are not valid utf-8"), ("3,\uFFFD", null)]);
    }

    private static async Task<List<Read>> ReadAllAsync(
        byte[] bytes,
        string encoding = "utf-8",
        char delimiter = ',',
        (long Position, long Line)? from = null,
        int bytesPerRead = int.MaxValue
    )
    {
        using var content = new DrippingStream(bytes, bytesPerRead);
        var reader = await CsvRecordReader.OpenAsync(content, encoding, CancellationToken.None);
        reader.Delimiter = delimiter;
        if (from is { } start)
        {
            reader.GoTo(start.Position, start.Line);
        }

        var records = new List<Read>();
        while (await reader.ReadAsync(CancellationToken.None) is { } record)
        {
            records.Add(new Read(record.Line, record.Text.ToString(), record.Defect, reader.Position, reader.Line));
        }

        return records;
    }

    private static string RandomText(Random random, string alphabet, int length)
    {
        var runes = alphabet.EnumerateRunes().ToArray();
        return string.Concat(Enumerable.Range(0, length).Select(_ => runes[random.Next(runes.Length)].ToString()));
    }

    private static List<string> WithCsvHelper(string text)
    {
        var bad = false;
        using var parser = new CsvParser(
            new StringReader(text),
            new CsvConfiguration(CultureInfo.InvariantCulture) { BadDataFound = _ => bad = true }
        );
        var records = new List<string>();
        while (parser.Read())
        {
            bad = false;
            var fields = string.Join('¦', parser.Record!);
            records.Add(bad ? "bad quotes" : fields);
        }

        return records;
    }

    private static string Fields(CsvFields fields) => string.Join('¦', Enumerable.Range(0, fields.Count).Select(i => fields[i]));

    /// <summary>Gives as few bytes at a time as it is told.</summary>
    private sealed class DrippingStream(byte[] bytes, int bytesPerRead) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, bytesPerRead)], cancellationToken);
    }
}

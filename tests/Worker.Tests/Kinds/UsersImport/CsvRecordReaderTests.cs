using System.Text;
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
        // In Shift_JIS the second byte of ポ is a bar, and the second byte of 表 is a backslash.
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

    [Theory]
    [InlineData(
        "r1,\"Ann\nr2,Bob\nr3,Cid\nr4,\"Dan\"\nr5,Eve",
        1,
        "a quote is opened and not closed: the next one, in line 4, stands inside a field"
    )]
    [InlineData(
        "r1,\"Ann\r\nr2,Bob\r\nr3,\"\"\r\nr4,\"Dan\"",
        1,
        "a quote is opened and not closed: the next one, in line 4, stands inside a field"
    )]
    [InlineData(
        "r1,Ann\nr2,\"Bob\" x\nr3,Cid\nr4,Dan",
        2,
        "a quote stands inside a field; quote the whole field and double the quotes in it"
    )]
    [InlineData(
        "r1,Ann\nr2,5\",\"x\nr3,Cid\nr4,Dan",
        2,
        "a quote stands inside a field; quote the whole field and double the quotes in it"
    )]
    [InlineData("r1,Ann\nr2,Bob\nr3,Cid\nr4,\"\"\"", 4, "a quote is opened and not closed before the end of the file")]
    public async Task A_broken_quote_costs_its_line_only(string text, int line, string reason)
    {
        var records = await ReadAllAsync(Encoding.UTF8.GetBytes(text));

        var broken = records.Where(r => r.Defect is not null).ShouldHaveSingleItem();
        (broken.Line, broken.Defect).ShouldBe((line, reason));
        records.Select(r => r.Text).ShouldBe(text.Split(["\r\n", "\n"], StringSplitOptions.None));
    }

    [Theory]
    [InlineData(";;", ';')]
    [InlineData(";", ';')]
    [InlineData("\t\t\t", '\t')]
    [InlineData("\"\",\"\"", ',')]
    [InlineData(",\"\",", ',')]
    [InlineData("", ',')]
    public async Task A_line_of_empty_fields_is_blank(string blank, char delimiter)
    {
        var records = await ReadAllAsync(Encoding.UTF8.GetBytes($"{blank}\na{delimiter}b\r\n{blank}\r\nc\n{blank}"), delimiter: delimiter);

        records.Select(r => (r.Line, r.Text, r.Defect)).ShouldBe([(2, $"a{delimiter}b", null), (4, "c", null)]);
    }

    [Theory]
    [InlineData(", ,")]
    [InlineData("\"\"\"\",")]
    [InlineData("\",\"")]
    [InlineData(",\",,\"")]
    [InlineData(";;")]
    public async Task A_line_with_something_in_it_is_not_blank(string text) =>
        (await ReadAllAsync(Encoding.UTF8.GetBytes(text))).ShouldHaveSingleItem().Text.ShouldBe(text);

    [Theory]
    [InlineData("\uFEFF\uFEFF\"a\",b\nc")]
    [InlineData("\uFEFF\uFEFF\uFEFF\"a\",b\nc")]
    [InlineData("\uFEFF\n\uFEFF\"a\",b\nc")]
    public async Task Byte_order_marks_before_the_first_record_are_passed_over_however_many(string text)
    {
        foreach (
            var (encoding, declared) in (IEnumerable<(Encoding, string)>)
                [(new UTF8Encoding(false), "utf-8"), (Encoding.Unicode, "utf-8"), (Encoding.BigEndianUnicode, "us-ascii")]
        )
        {
            var records = await ReadAllAsync(encoding.GetBytes(text), declared);

            records.Select(r => (r.Text, r.Defect)).ShouldBe([("\"a\",b", null), ("c", null)]);
        }
    }

    [Fact]
    public async Task A_byte_order_mark_later_in_the_file_is_text() =>
        (await ReadAllAsync("a\n\uFEFFb"u8.ToArray()))[1].Text.ShouldBe("\uFEFFb");

    [Fact]
    public async Task A_token_is_looked_at_for_each_line_of_what_was_read_in_one_go()
    {
        using var cancellation = new CancellationTokenSource();
        using var content = new MemoryStream(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("a\n", 1000))));
        var reader = await CsvRecordReader.OpenAsync(content, "utf-8", cancellation.Token);
        (await reader.ReadAsync(cancellation.Token)).ShouldNotBeNull();

        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(async () => await reader.ReadAsync(cancellation.Token));
        content.Position.ShouldBe(content.Length);
    }

    [Theory]
    [InlineData("1,2\n", 7)]
    [InlineData("a\"b,\"cd\n", 7)]
    [InlineData("a,\"b\n", 7)]
    [InlineData("\"\",\",y\n", 7)]
    [InlineData("\"\"\"\n", 7)]
    [InlineData("a,\"\"\"b\n", 7)]
    [InlineData("\",\"\n", 7)]
    [InlineData("\"", 7)]
    [InlineData("\",", 7)]
    [InlineData("\n", 7)]
    [InlineData("\"\n,\n", 7)]
    [InlineData(",\"x\n\"\"\n", 7)]
    public async Task Work_is_linear_whatever_the_quotes(string repeated, int factor)
    {
        // Longer than the longest record, so that searches that end there count, too.
        var bytes = Encoding.ASCII.GetBytes("h\n" + string.Concat(Enumerable.Repeat(repeated, 3_000_000 / repeated.Length)));
        foreach (var content in (byte[][])[bytes, [.. bytes, .. "\""u8], [.. "\""u8, .. bytes]])
        {
            using var stream = new MemoryStream(content);
            var reader = await CsvRecordReader.OpenAsync(stream, "utf-8", CancellationToken.None);
            var limit = factor * (long)content.Length;
            while (reader.Work < limit && await reader.ReadAsync(CancellationToken.None) is not null) { }

            reader.Work.ShouldBeLessThan(limit);
        }
    }

    [Theory]
    [InlineData("shift_jis", "EEE0", "FBFC")]
    [InlineData("windows-31j", "ED95", "FAB1")]
    [InlineData("932", "EEEF", "FA40")]
    [InlineData("cp932", "8790", "81E0")]
    [InlineData("big5", "A2CC", "A451")]
    public async Task Both_codes_of_a_letter_are_read(string encoding, string code, string otherCode)
    {
        byte[] bytes = [.. Convert.FromHexString(code), .. "|"u8, .. Convert.FromHexString(otherCode)];

        var record = (await ReadAllAsync(bytes, encoding)).ShouldHaveSingleItem();

        record.Defect.ShouldBeNull();
        record.Text[0].ShouldBe(record.Text[2]);
        record.Text[0].ShouldNotBe('\uFFFD');
    }

    [Fact]
    public async Task All_letters_that_NEC_selected_are_the_ones_of_IBM()
    {
        static IEnumerable<byte[]> Codes(int first, int last) =>
            from code in Enumerable.Range(first, last - first + 1)
            where (code & 0xFF) is >= 0x40 and not 0x7F and <= 0xFC
            select new[] { (byte)(code >> 8), (byte)code };
        byte[] Lines(IEnumerable<byte[]> codes) => [.. codes.SelectMany(code => (byte[])[.. code, .. "\n"u8])];

        var nec = await ReadAllAsync(Lines(Codes(0xED40, 0xEEEC)), "shift_jis");
        var ibm = await ReadAllAsync(Lines(Codes(0xFA5C, 0xFC4B)), "shift_jis");

        nec.Count.ShouldBe(360);
        nec.Select(r => (r.Text, r.Defect)).ShouldBe(ibm.Select(r => (r.Text, (string?)null)));
    }

    [Theory]
    [InlineData("8130", "gbk")]
    [InlineData("EEFD", "shift_jis")]
    [InlineData("81", "shift_jis")]
    [InlineData("8130", "big5")]
    [InlineData("C130", "cp949")]
    public async Task Codes_of_no_letter_are_refused(string code, string encoding) =>
        (await ReadAllAsync([.. "a"u8, .. Convert.FromHexString(code)], encoding)).ShouldHaveSingleItem().Defect.ShouldNotBeNull();

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
            .ShouldBe([
                (1, "a quote is opened and not closed within 1,048,576 bytes"),
                (2, "a quote stands inside a field; quote the whole field and double the quotes in it"),
                (3, null),
            ]);
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

    /// <summary>Returns at most a given number of bytes at a time.</summary>
    private sealed class DrippingStream(byte[] bytes, int bytesPerRead) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, bytesPerRead)], cancellationToken);
    }
}

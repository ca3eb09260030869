using System.Text;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Worker.Kinds.UsersImport;

namespace Platform.Worker.Tests.Kinds.UsersImport;

public sealed class ImportHeaderTests
{
    [Theory]
    [InlineData("id,name,mail", ',')]
    [InlineData("id;name;mail", ';')]
    [InlineData("id\tname\tmail", '\t')]
    [InlineData("id|name|mail", '|')]
    [InlineData("id|name|mail|last, first", '|')]
    [InlineData("id;name;mail;a,b,c,d,e,f,g", ';')]
    [InlineData("\"id\";\"na,me\";name;mail", ';')]
    [InlineData("\"note, with\nline\";id;name;mail", ';')]
    public async Task The_delimiter_is_the_one_that_finds_the_mapped_columns(string header, char delimiter)
    {
        var read = await ReadAsync(
            header + "\n1,2,3;4;5",
            new ImportUsersColumns
            {
                ExternalId = "id",
                Name = "name",
                Email = "mail",
            }
        );

        read.Delimiter.ShouldBe(delimiter);
    }

    [Fact]
    public async Task Columns_are_found_in_any_order_behind_a_byte_order_mark_and_empty_lines()
    {
        var read = await ReadAsync(
            "\uFEFF\r\n\r\nmail,id,at,name\r\n",
            new ImportUsersColumns
            {
                ExternalId = "id",
                Name = "name",
                Email = "mail",
                SignedUpAt = "at",
            }
        );

        read.ShouldBe(new ImportHeader(',', 4, 1, 3, 0, null, 2));
    }

    [Theory]
    [InlineData("id,naam", "Parameter columns.name: the header row (line 1) has no column 'name'. It has 'id', 'naam'.")]
    [InlineData("ID,name", "Parameter columns.externalId: the header row (line 1) has no column 'id'. It has 'ID', 'name'.")]
    [InlineData("id,name,id", "Parameter columns.externalId: the header row (line 1) has column 'id' more than once.")]
    [InlineData("", "The file is empty: there is no header row.")]
    [InlineData("\r\n\r\n", "The file is empty: there is no header row.")]
    [InlineData("id,\"name", "The header row (line 1) cannot be read: a quote is opened and not closed before the end of the file.")]
    [InlineData("id,na\0me", "The header row (line 1) cannot be read: contains NUL characters.")]
    [InlineData("\nid,n\"ame", "The header row (line 2) cannot be read: a quote stands inside a field")]
    public async Task A_header_that_does_not_fit_fails_the_task_with_the_name_of_what_is_wrong(string text, string message)
    {
        var error = await Should.ThrowAsync<NonRetryableException>(() =>
            ReadAsync(text, new ImportUsersColumns { ExternalId = "id", Name = "name" })
        );

        error.Message.ShouldStartWith(message);
    }

    [Fact]
    public async Task A_file_that_is_not_text_fails_the_task()
    {
        byte[] zip = [0x50, 0x4B, 0x03, 0x04, 0x14, 0x00, 0x06, 0x00, 0x08, 0x00, 0xFF, 0xC3, 0x28];

        var error = await Should.ThrowAsync<NonRetryableException>(() =>
            ReadAsync(zip, new ImportUsersColumns { ExternalId = "id", Name = "name" })
        );

        error.Message.ShouldBe(
            "The header row (line 1) cannot be read: contains bytes that are not valid utf-8. Is the file CSV, and is parameter encoding right? It was read as utf-8."
        );
    }

    [Theory]
    [InlineData("klingon")]
    [InlineData("utf-7")]
    [InlineData("utf-32")]
    [InlineData("iso-2022-jp")]
    [InlineData("IBM037")]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("99999999999")]
    [InlineData("utf-8\u200B")]
    public async Task An_encoding_that_cannot_be_used_fails_the_task(string encoding)
    {
        var error = await Should.ThrowAsync<NonRetryableException>(() =>
            ReadAsync("id,name"u8.ToArray(), new ImportUsersColumns { ExternalId = "id", Name = "name" }, encoding)
        );

        error.Message.ShouldStartWith(
            $"Parameter encoding: '{encoding.Replace("\u200B", "\\u200B", StringComparison.Ordinal)}' is not an encoding that can be read line by line. Use one of utf-8, "
        );
        error.InnerException.ShouldBeNull();
    }

    [Theory]
    [InlineData("\"")]
    [InlineData("\n")]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a")]
    [InlineData("7")]
    [InlineData(",,")]
    public async Task A_delimiter_that_cannot_be_one_fails_the_task(string delimiter)
    {
        var error = await Should.ThrowAsync<NonRetryableException>(() =>
            ReadAsync("id,name"u8.ToArray(), new ImportUsersColumns { ExternalId = "id", Name = "name" }, delimiter: delimiter)
        );

        error.Message.ShouldStartWith("Parameter delimiter:");
    }

    [Theory]
    [InlineData("sep=;\nid;x,y;name", ';', 3)]
    [InlineData("SEP=|\r\nid|name", '|', 3)]
    [InlineData("\"sep=;\"\nid;name", ';', 3)]
    [InlineData("sep=,\nid,name", ',', 3)]
    [InlineData("sep=\t\nid\tname", '\t', 3)]
    [InlineData("sep=^\n\nid^name", '^', 4)]
    [InlineData("sep=;;;\nid;name", ';', 3)]
    [InlineData("\uFEFFsep=;\n;;\nid;name", ';', 4)]
    public async Task A_first_line_may_name_the_delimiter_as_in_Excel(string text, char delimiter, int nextLine)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text + "\n1"));
        var reader = await CsvRecordReader.OpenAsync(content, "utf-8", CancellationToken.None);

        var header = await ImportHeader.ReadAsync(reader, Parameters(), CancellationToken.None);

        header.Delimiter.ShouldBe(delimiter);
        (await reader.ReadAsync(CancellationToken.None))!.Value.Line.ShouldBe(nextLine);
    }

    [Fact]
    public async Task A_delimiter_of_the_parameters_wins_over_that_of_the_first_line()
    {
        using var content = new MemoryStream("sep=;\nid,name\n"u8.ToArray());
        var reader = await CsvRecordReader.OpenAsync(content, "utf-8", CancellationToken.None);

        (await ImportHeader.ReadAsync(reader, Parameters() with { Delimiter = "," }, CancellationToken.None)).Delimiter.ShouldBe(',');
    }

    [Fact]
    public async Task A_quoted_header_behind_two_byte_order_marks_is_read() =>
        (await ReadAsync("\uFEFF\uFEFF\"id\",\"name\"", new ImportUsersColumns { ExternalId = "id", Name = "name" })).ColumnCount.ShouldBe(
            2
        );

    [Theory]
    [InlineData("id,\u200Bname", "It has 'id', '\\u200Bname'.")]
    [InlineData("id,name\u00A0", "It has 'id', 'name\\u00A0'.")]
    [InlineData("id,na\u202Eme", "It has 'id', 'na\\u202Eme'.")]
    [InlineData("id,na\u001B[31mme", "It has 'id', 'na\\u001B[31mme'.")]
    [InlineData("id,\"na\rme\"", "It has 'id', 'na\\u000Dme'.")]
    [InlineData("id,na\U000E0001me", "It has 'id', 'na\\u{E0001}me'.")]
    [InlineData("id,nam\u0065\u0301", "It has 'id', 'name\\u0301'.")]
    [InlineData("id,名 😀", "It has 'id', '名 😀'.")]
    public async Task Characters_that_nobody_sees_are_shown(string header, string shown)
    {
        var error = await Should.ThrowAsync<NonRetryableException>(() =>
            ReadAsync(header, new ImportUsersColumns { ExternalId = "id", Name = "name" })
        );

        error.Message.ShouldEndWith(shown);
    }

    [Fact]
    public async Task A_message_is_short_however_long_the_header_and_the_name_of_a_column_are()
    {
        var cell = new string('x', 900_000);
        var one = await Should.ThrowAsync<NonRetryableException>(() =>
            ReadAsync($"{cell},id", new ImportUsersColumns { ExternalId = "id", Name = "na\nme" })
        );
        var many = await Should.ThrowAsync<NonRetryableException>(() =>
            ReadAsync(
                string.Join(',', Enumerable.Range(0, 900).Select(i => $"{i}{cell[..1000]}")),
                new ImportUsersColumns { ExternalId = "id", Name = "name" }
            )
        );

        one.Message.ShouldBe(
            $"Parameter columns.name: the header row (line 1) has no column 'na\\u000Ame'. It has '{cell[..100]}...' (900,000 characters), 'id'."
        );
        many.Message.Length.ShouldBeLessThan(1500);
        many.Message.ShouldMatch(" and 8[0-9]{2} more.$");
    }

    private static ImportUsersParameters Parameters() =>
        new()
        {
            FileId = Guid.Empty,
            Columns = new ImportUsersColumns { ExternalId = "id", Name = "name" },
        };

    private static Task<ImportHeader> ReadAsync(string text, ImportUsersColumns columns) =>
        ReadAsync(Encoding.UTF8.GetBytes(text), columns);

    private static async Task<ImportHeader> ReadAsync(
        byte[] bytes,
        ImportUsersColumns columns,
        string encoding = "utf-8",
        string? delimiter = null
    )
    {
        using var content = new MemoryStream(bytes);
        var reader = await CsvRecordReader.OpenAsync(content, encoding, CancellationToken.None);
        var parameters = new ImportUsersParameters
        {
            FileId = Guid.Empty,
            Columns = columns,
            Encoding = encoding,
            Delimiter = delimiter,
        };
        return await ImportHeader.ReadAsync(reader, parameters, CancellationToken.None);
    }
}

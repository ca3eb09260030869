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
    [InlineData("id,naam", "Parameter columns.name: the header row has no column 'name'. It has 'id', 'naam'.")]
    [InlineData("ID,name", "Parameter columns.externalId: the header row has no column 'id'. It has 'ID', 'name'.")]
    [InlineData("id,name,id", "Parameter columns.externalId: the header row has column 'id' more than once.")]
    [InlineData("", "The file is empty: there is no header row.")]
    [InlineData("\r\n\r\n", "The file is empty: there is no header row.")]
    [InlineData("id,\"name", "The header row (line 1) a quote is opened and not closed before the end of the file.")]
    [InlineData("id,na\0me", "The header row (line 1) contains NUL characters.")]
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
            "The header row (line 1) contains bytes that are not valid utf-8. Is the file CSV, and is parameter encoding right? It was read as utf-8."
        );
    }

    [Theory]
    [InlineData("klingon", "Parameter encoding: 'klingon' is not a known encoding.")]
    [InlineData("utf-7", "Parameter encoding: 'utf-7' is not a known encoding.")]
    [InlineData("utf-32", "Parameter encoding: 'utf-32' cannot be read line by line.")]
    [InlineData("iso-2022-jp", "Parameter encoding: 'iso-2022-jp' cannot be read line by line.")]
    [InlineData("IBM037", "Parameter encoding: 'IBM037' cannot be read line by line.")]
    public async Task An_encoding_that_cannot_be_used_fails_the_task(string encoding, string message)
    {
        var error = await Should.ThrowAsync<NonRetryableException>(() =>
            ReadAsync("id,name"u8.ToArray(), new ImportUsersColumns { ExternalId = "id", Name = "name" }, encoding)
        );

        error.Message.ShouldStartWith(message);
    }

    [Theory]
    [InlineData("\"")]
    [InlineData("\n")]
    [InlineData("")]
    public async Task A_delimiter_that_cannot_be_one_fails_the_task(string delimiter)
    {
        var error = await Should.ThrowAsync<NonRetryableException>(() =>
            ReadAsync("id,name"u8.ToArray(), new ImportUsersColumns { ExternalId = "id", Name = "name" }, delimiter: delimiter)
        );

        error.Message.ShouldStartWith("Parameter delimiter:");
    }

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

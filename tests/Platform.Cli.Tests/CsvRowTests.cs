using Platform.Cli.Tests.Support;
using Platform.Cli.Users;

namespace Platform.Cli.Tests;

public sealed class CsvRowTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("id,name\r\n", 1)]
    [InlineData("id,name\r\n1,Ada\r\n", 2)]
    [InlineData("id,name\r\n1,Ada", 2)]
    [InlineData("id,name\r\n1,\"Ada\r\nLovelace\"\r\n2,\"\n\"\"\n\"\"\"\r\n", 3)]
    [InlineData("id,name\r\n1,\"Ada\nLovelace\"", 2)]
    public async Task Rows_are_records_and_not_lines(string text, long rows)
    {
        using var folder = new TemporaryFolder();

        (await CsvRow.CountAsync(folder.Write("users.csv", text), TestContext.Current.CancellationToken)).ShouldBe(rows);
    }
}

using System.Text;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Worker.Kinds.UsersImport;

namespace Platform.Worker.Tests.Kinds.UsersImport;

public sealed class UserRowReaderTests
{
    private const string NoTime =
        "signedUpAt is not a time that exists in a form that is read: 2024-01-31, 2024-01-31T23:59 or 2024-01-31T23:59:58.123456, with an offset such as Z or +02:00, or without one in UTC";

    private readonly UserRowReader reader = new(new ImportHeader(',', 5, 0, 1, 2, 3, 4));

    [Theory]
    [InlineData("2024-01-31", "2024-01-31T00:00:00.0000000Z")]
    [InlineData("2024-01-31T23:59", "2024-01-31T23:59:00.0000000Z")]
    [InlineData("2024-01-31T23:59:58", "2024-01-31T23:59:58.0000000Z")]
    [InlineData("2024-01-31 23:59:58", "2024-01-31T23:59:58.0000000Z")]
    [InlineData("2024-01-31T23:59:58Z", "2024-01-31T23:59:58.0000000Z")]
    [InlineData("2024-01-31T23:59:58+02:00", "2024-01-31T21:59:58.0000000Z")]
    [InlineData("2024-01-31T23:59-0130", "2024-02-01T01:29:00.0000000Z")]
    [InlineData("2024-01-31T23:59:58.1234567Z", "2024-01-31T23:59:58.1234560Z")]
    [InlineData("2023-02-10 15:45:31+00", "2023-02-10T15:45:31.0000000Z")]
    [InlineData("2023-02-10 15:45:31.123456-03:30", "2023-02-10T19:15:31.1234560Z")]
    [InlineData("2023-02-10 15:45:31.000000", "2023-02-10T15:45:31.0000000Z")]
    [InlineData("2024-05-15T04:20:05.123456789Z", "2024-05-15T04:20:05.1234560Z")]
    [InlineData("1000-01-01", "1000-01-01T00:00:00.0000000Z")]
    [InlineData("9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999990Z")]
    public void Sign_up_times_are_ISO_8601_and_UTC_unless_they_say_otherwise(string text, string expected)
    {
        Read($"1,Ada,,,{text}", out var user).ShouldBeNull();

        user.SignedUpAt!.Value.ToString("O").ShouldBe(expected);
    }

    [Theory]
    [InlineData("31.01.2024")]
    [InlineData("01/31/2024")]
    [InlineData("2024-02-30")]
    [InlineData("2024-1-5")]
    [InlineData("2024-01-31T25:00")]
    [InlineData(" 2024-01-31")]
    [InlineData("0000-00-00 00:00:00")]
    [InlineData("yesterday")]
    public void Other_sign_up_times_are_rejected(string text) => Read($"1,Ada,,,{text}", out _).ShouldBe(NoTime);

    [Theory]
    [InlineData("0999-12-31")]
    [InlineData("1000-01-01T00:00:00+01:00")]
    public void Sign_up_times_that_no_database_can_keep_are_rejected(string text) =>
        Read($"1,Ada,,,{text}", out _).ShouldBe("signedUpAt is before the year 1000 in UTC");

    [Theory]
    [InlineData(",Ada,,,", "externalId is missing")]
    [InlineData("  ,Ada,,,", "externalId is missing")]
    [InlineData("1,,,,", "name is missing")]
    [InlineData("1,\" \",,,", "name is missing")]
    [InlineData("1,A\0da,,,", "name contains a NUL character")]
    [InlineData("1\0,Ada,,,", "externalId contains a NUL character")]
    [InlineData("1,Ada,\0,,", "email contains a NUL character")]
    [InlineData("1,Ada,,", "has 4 fields where the header has 5")]
    [InlineData("1,Ada,,,,", "has 6 fields where the header has 5")]
    [InlineData("1", "has 1 fields where the header has 5")]
    [InlineData("1,A\"da,,,", "a quote stands inside a field; quote the whole field and double the quotes in it")]
    [InlineData("1,\"A\"da,,,", "a quote stands inside a field; quote the whole field and double the quotes in it")]
    [InlineData("1,Ada,\"x\" ,,", "a quote stands inside a field; quote the whole field and double the quotes in it")]
    public void A_bad_row_is_rejected_with_its_reason(string text, string reason) => Read(text, out _).ShouldBe(reason);

    [Theory]
    [InlineData(0, "externalId", User.MaxExternalIdLength)]
    [InlineData(1, "name", User.MaxNameLength)]
    [InlineData(2, "email", User.MaxEmailLength)]
    [InlineData(3, "country", User.MaxCountryLength)]
    public void A_value_may_be_as_long_as_its_column(int index, string field, int length)
    {
        string[] fields = ["1", "Ada", "", "", ""];
        fields[index] = new string('x', length);
        Read(string.Join(',', fields), out _).ShouldBeNull();
        fields[index] = string.Concat(Enumerable.Repeat("😀", length));
        Read(string.Join(',', fields), out _).ShouldBeNull();

        fields[index] += "x";
        Read(string.Join(',', fields), out _).ShouldBe($"{field} is longer than {length} characters");
    }

    [Fact]
    public void Values_stand_as_they_are_and_empty_optional_ones_are_null()
    {
        Read("\" 1\",\"A\"\"d\"\"\r\na,\",,=1+1,", out var user).ShouldBeNull();

        user.ShouldBe(new UserRow(" 1", "A\"d\"\r\na,", null, "=1+1", null));
    }

    [Fact]
    public void A_defective_record_does_not_spill_into_the_next()
    {
        Read("1,\"Ada,,,", out _).ShouldBe("a quote is opened and not closed before the end of the file");
        Read("1,\"A\"da,\",,", out _).ShouldNotBeNull();
        Read("1,Ada", out _).ShouldNotBeNull();

        Read("2,Grace,,US,", out var user).ShouldBeNull();
        user.ShouldBe(new UserRow("2", "Grace", null, "US", null));
    }

    private string? Read(string text, out UserRow user)
    {
        using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
        var records = CsvRecordReader.OpenAsync(content, "utf-8", CancellationToken.None).GetAwaiter().GetResult();
        var record = records.ReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        return reader.Read(record.ShouldNotBeNull(), out user);
    }
}

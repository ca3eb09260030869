using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

public sealed class GenerateUsersTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Same_seed_gives_the_same_file()
    {
        var first = await GenerateAsync("a.csv", rows: 2000, seed: 7);
        var second = await GenerateAsync("b.csv", rows: 2000, seed: 7);
        var other = await GenerateAsync("c.csv", rows: 2000, seed: 8);

        second.ShouldBe(first);
        other.ShouldNotBe(first);
    }

    [Fact]
    public async Task Longer_file_begins_with_the_shorter_one()
    {
        var shorter = await GenerateAsync("a.csv", rows: 1500, seed: 3);
        var longer = await GenerateAsync("b.csv", rows: 4000, seed: 3);

        longer.AsSpan(0, shorter.Length).SequenceEqual(shorter).ShouldBeTrue();
    }

    /// <summary>
    /// The file must not depend on the day or the machine. A new version of Bogus may change it; then change this test, too.
    /// </summary>
    [Fact]
    public async Task Users_of_a_seed_are_the_same_everywhere()
    {
        await GenerateAsync("users.csv", rows: 2, seed: 1);

        (await File.ReadAllTextAsync(folder.File("users.csv"), TestContext.Current.CancellationToken)).ShouldBe(
            "externalId,name,email,country,signedUpAt\r\n"
                + "U000000001,Bernita Konopelski,bernita.konopelski.1@example.net,GB,2024-06-09T22:17:36Z\r\n"
                + "U000000002,Lucy Barrows,lucy.barrows.2@example.org,US,2021-07-20T07:19:50Z\r\n"
        );
    }

    [Fact]
    public async Task File_is_valid_csv_within_the_limits_of_an_import()
    {
        await GenerateAsync("users.csv", rows: 20_000, seed: 1);

        var users = Read("users.csv");

        users.Count.ShouldBe(20_000);
        users.Select(user => user.ExternalId).Distinct().Count().ShouldBe(20_000);
        users.Where(user => user.Email is not "").Select(user => user.Email).ShouldBeUnique();
        users.ShouldAllBe(user => user.Name.Length >= 1 && user.Name.Length <= 200 && user.Name.Trim() == user.Name);
        users.ShouldAllBe(user => user.Email == "" || new System.Net.Mail.MailAddress(user.Email).Address == user.Email);
        users.ShouldAllBe(user => user.Country.Length == 2);
        users
            .Select(user => DateTimeOffset.ParseExact(user.SignedUpAt, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture).Year)
            .ShouldAllBe(year => year >= 2015 && year <= 2024);
        users.ShouldContain(user => user.Name.Contains('"'));
        users.ShouldContain(user => user.Name.Contains(','));
        users.ShouldContain(user => user.Name.Any(c => c > 0x3000));
        users.ShouldContain(user => user.Email == "");
    }

    [Fact]
    public async Task No_rows_is_a_header_alone()
    {
        await GenerateAsync("users.csv", rows: 0, seed: 1);

        Read("users.csv").ShouldBeEmpty();
    }

    [Fact]
    public async Task Interruption_leaves_nothing()
    {
        using var interrupt = new CancellationTokenSource();
        await interrupt.CancelAsync();

        var run = await CliRun.RunAsync(
            new Surroundings { CancellationToken = interrupt.Token },
            "generate-users",
            folder.File("users.csv"),
            "--rows",
            "100000"
        );

        run.ExitCode.ShouldBe(130);
        folder.Entries.ShouldBeEmpty();
    }

    [Fact]
    public async Task Json_counts_what_was_written()
    {
        var run = await CliRun.RunAsync(new Surroundings(), "generate-users", folder.File("users.csv"), "--rows", "10", "--json");

        run.Json.GetProperty("rows").GetInt64().ShouldBe(10);
        run.Json.GetProperty("length").GetInt64().ShouldBe(new FileInfo(folder.File("users.csv")).Length);
    }

    private async Task<byte[]> GenerateAsync(string name, int rows, int seed)
    {
        var run = await CliRun.RunAsync(new Surroundings(), "generate-users", folder.File(name), "--rows", $"{rows}", "--seed", $"{seed}");
        run.ExitCode.ShouldBe(0, run.Error);
        return await File.ReadAllBytesAsync(folder.File(name), TestContext.Current.CancellationToken);
    }

    /// <summary>A strict reader: a stray quote, a missing column or a wrong line end is an exception.</summary>
    private List<Row> Read(string name)
    {
        using var text = new StreamReader(folder.File(name), new System.Text.UTF8Encoding(false, throwOnInvalidBytes: true), false);
        using var csv = new CsvReader(
            text,
            new CsvConfiguration(CultureInfo.InvariantCulture)
            {
                Mode = CsvMode.RFC4180,
                NewLine = "\r\n",
                DetectColumnCountChanges = true,
                PrepareHeaderForMatch = header => header.Header,
                BadDataFound = bad => throw new InvalidDataException(bad.RawRecord),
            }
        );
        csv.Read();
        csv.ReadHeader();
        csv.HeaderRecord.ShouldBe(["externalId", "name", "email", "country", "signedUpAt"]);
        var rows = new List<Row>();
        while (csv.Read())
        {
            rows.Add(new Row(csv.GetField(0)!, csv.GetField(1)!, csv.GetField(2)!, csv.GetField(3)!, csv.GetField(4)!));
        }

        return rows;
    }

    private sealed record Row(string ExternalId, string Name, string Email, string Country, string SignedUpAt);
}

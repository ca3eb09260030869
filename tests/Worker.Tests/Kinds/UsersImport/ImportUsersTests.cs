using System.Globalization;
using System.Text;
using System.Text.Json;
using CsvHelper;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Support;
using Platform.Worker.Kinds.UsersImport;

namespace Platform.Worker.Tests.Kinds.UsersImport;

public sealed class ImportUsersTests : KindTest
{
    private static readonly ImportUsersColumns AllColumns = new()
    {
        ExternalId = "id",
        Name = "name",
        Email = "mail",
        Country = "land",
        SignedUpAt = "since",
    };

    [Theory]
    [InlineData("utf-8", false, ',', "\r\n", "Zoë 名 😀", "FF")]
    [InlineData("utf-8", true, ';', "\n", "Zoë 名 😀", "C3")]
    [InlineData("utf-8", true, '|', "\r", "Zoë 名 😀", "C0")]
    [InlineData("utf-16", true, '\t', "\r\n", "Zoë 名 😀", "00D8")]
    [InlineData("utf-16BE", true, ',', "\n", "Zoë 名 😀", "D800")]
    [InlineData("utf-16", false, '|', "\r", "Zoë 名 😀", "")]
    [InlineData("windows-1252", false, ';', "\r\n", "Zoë €", "")]
    [InlineData("us-ascii", false, ',', "\n", "Zoe", "E9")]
    [InlineData("shift_jis", false, '|', "\r\n", "ポ表ソ", "")]
    [InlineData("gb18030", false, ',', "\n", "名ë€😀", "")]
    public async Task Every_row_is_imported_or_rejected_with_line_and_reason(
        string encodingName,
        bool byteOrderMark,
        char delimiter,
        string newLine,
        string text,
        string invalidBytes
    )
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        var csv = new NastyCsv(Encoding.GetEncoding(encodingName), byteOrderMark, delimiter, newLine).Fill(text, rounds: 30);
        if (invalidBytes.Length > 0)
        {
            csv.AddInvalidBytes(Convert.FromHexString(invalidBytes));
        }

        csv.EndWithOpenQuote();
        await StartWorkerAsync<ImportUsers>();

        var task = await ImportAsync(csv.Bytes, p => p with { Encoding = byteOrderMark ? "windows-1252" : encodingName });

        Result(task).ShouldBe(new ImportUsersResult(csv.Rows, csv.Users.Count, 0, csv.Repeated, csv.Rejected.Count));
        (await StoredAsync()).ShouldBe(Sorted(csv.Users));
        Rejected(await ReadResultFileAsync(task, "rejected.csv")).ShouldBe(csv.Rejected);
        task.ProgressDone.ShouldBe(csv.Bytes.Length);
        task.ProgressTotal.ShouldBe(csv.Bytes.Length);
    }

    [Fact]
    public async Task A_file_without_bad_rows_has_no_rejected_csv()
    {
        await StartWorkerAsync<ImportUsers>();

        var task = await ImportAsync("id,name,mail,land,since\n1,Ada,,,\n");

        Result(task).ShouldBe(new ImportUsersResult(1, 1, 0, 0, 0));
        task.Result.ShouldBe("""{"rows":1,"imported":1,"updated":0,"skipped":0,"rejected":0}""");
        task.ResultFileId.ShouldBeNull();
    }

    [Theory]
    [InlineData("id,name,mail,land,since")]
    [InlineData("id,name,mail,land,since\r\n\r\n\r\n")]
    public async Task A_file_with_a_header_only_imports_nothing(string text)
    {
        await StartWorkerAsync<ImportUsers>();

        Result(await ImportAsync(text)).ShouldBe(new ImportUsersResult(0, 0, 0, 0, 0));
    }

    [Fact]
    public async Task Skip_leaves_existing_users_alone_and_the_first_of_repeated_rows_wins()
    {
        await StartWorkerAsync<ImportUsers>();
        await AddUsersAsync([
            new User
            {
                ExternalId = "1",
                Name = "Old",
                Country = "DE",
            },
        ]);

        var task = await ImportAsync("id,name,mail,land,since\n2,First,,,\n1,New,,FR,\n2,Second,,,\n3,Third,,,\n");

        Result(task).ShouldBe(new ImportUsersResult(4, 2, 0, 2, 0));
        (await StoredAsync()).ShouldBe([User("1", "Old", country: "DE"), User("2", "First"), User("3", "Third")]);
    }

    [Fact]
    public async Task Update_overwrites_the_mapped_columns_and_the_last_of_repeated_rows_wins()
    {
        await StartWorkerAsync<ImportUsers>();
        await AddUsersAsync([
            new User
            {
                ExternalId = "1",
                Name = "Old",
                Email = "old@example.org",
                Country = "DE",
            },
        ]);

        var task = await ImportAsync(
            "id,name,land\n2,First,US\n1,New,\n2,Second,GB\n3,Third,\n",
            p =>
                p with
                {
                    OnExisting = ExistingUser.Update,
                    Columns = new ImportUsersColumns
                    {
                        ExternalId = "id",
                        Name = "name",
                        Country = "land",
                    },
                }
        );

        Result(task).ShouldBe(new ImportUsersResult(4, 2, 2, 0, 0));
        (await StoredAsync()).ShouldBe([User("1", "New", "old@example.org"), User("2", "Second", country: "GB"), User("3", "Third")]);
    }

    [Fact]
    public async Task Fail_stops_at_the_first_existing_user_and_keeps_the_batches_before_it()
    {
        await StartWorkerAsync<ImportUsers>();
        await AddUsersAsync([new User { ExternalId = "u7003", Name = "Old" }]);
        var text = Rows(10_000);

        var task = await ImportAsync(text, p => p with { OnExisting = ExistingUser.Fail }, HeavyTaskStatus.Failed);

        task.Failures.ShouldBe(1);
        task.Error.ShouldBe(
            "Line 7004: a user with externalId 'u7003' exists already, and parameter onExisting is Fail. Batches before it were imported."
        );
        (await UsersAsync()).Count.ShouldBe(5001);
    }

    [Fact]
    public async Task Fail_stops_at_a_repeated_row_too()
    {
        await StartWorkerAsync<ImportUsers>();

        var task = await ImportAsync(
            "id,name,mail,land,since\n1,a,,,\n2,b,,,\n1,c,,,\n",
            p => p with { OnExisting = ExistingUser.Fail },
            HeavyTaskStatus.Failed
        );

        task.Error.ShouldNotBeNull().ShouldStartWith("Line 4: a user with externalId '1' exists already");
        (await UsersAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_missing_column_fails_the_task_at_once_and_names_it()
    {
        await StartWorkerAsync<ImportUsers>();

        var task = await ImportAsync("id,name,mail,land\n1,Ada,,\n", expected: HeavyTaskStatus.Failed);

        task.Failures.ShouldBe(1);
        task.Error.ShouldBe(
            "Parameter columns.signedUpAt: the header row (line 1) has no column 'since'. It has 'id', 'name', 'mail', 'land'."
        );
    }

    [Fact]
    public async Task A_broken_quote_rejects_its_own_line_and_no_other()
    {
        await StartWorkerAsync<ImportUsers>();

        var task = await ImportAsync("id,name,mail,land,since\nr1,\"Ann,,,\nr2,Bob,,,\nr3,Cid,,,\nr4,\"Dan\",,,\nr5,Eve,,,\n");

        Result(task).ShouldBe(new ImportUsersResult(5, 4, 0, 0, 1));
        (await StoredAsync()).Select(u => u.ExternalId).ShouldBe(["r2", "r3", "r4", "r5"]);
        Rejected(await ReadResultFileAsync(task, "rejected.csv"))
            .ShouldBe([(2, "a quote is opened and not closed: the next one, in line 5, stands inside a field", "r1,\"Ann,,,")]);
    }

    [Fact]
    public async Task Every_line_is_rejected_by_itself_when_each_opens_a_quote_that_no_later_one_closes()
    {
        await StartWorkerAsync<ImportUsers>();

        var task = await ImportAsync("id,name,mail,land,since\n" + string.Concat(Enumerable.Repeat("a\"b,\"cd\n", 50_000)));

        Result(task).ShouldBe(new ImportUsersResult(50_000, 0, 0, 0, 50_000));
        Rejected(await ReadResultFileAsync(task, "rejected.csv")).Select(r => r.Line).ShouldBe(Enumerable.Range(2, 50_000));
    }

    [Fact]
    public async Task A_million_rejected_rows_are_listed_and_more_are_counted()
    {
        await StartWorkerAsync<ImportUsers>();
        const int Bad = RejectedRows.MaxListed + 60_000;

        var content = Encoding.UTF8.GetBytes("id,name,mail,land,since\n" + string.Concat(Enumerable.Repeat("a\n", Bad)) + "1,Ada,,,\n");
        var id = await Worker.SubmitAsync(new ImportUsersParameters { FileId = await UploadAsync(content), Columns = AllColumns });

        // Longer than the harness waits for a task.
        await Eventually.Async(
            async () => (await Worker.ReadAsync(id)).Status is HeavyTaskStatus.Succeeded or HeavyTaskStatus.Failed,
            TimeSpan.FromMinutes(5),
            "the import ends"
        );
        var task = await Worker.ReadAsync(id);
        Result(task).ShouldBe(new ImportUsersResult(Bad + 1, 1, 0, 0, Bad));
        var rejected = Rejected(await ReadResultFileAsync(task, "rejected.csv"));
        rejected.Count.ShouldBe(RejectedRows.MaxListed + 1);
        rejected[^2].ShouldBe((RejectedRows.MaxListed + 1, "has 1 fields where the header has 5", "a"));
        rejected[^1]
            .ShouldBe((RejectedRows.MaxListed + 2, "more than 1,000,000 rows are rejected; from this line on they are only counted", ""));
    }

    [Theory]
    [InlineData("UTF8", 65001)]
    [InlineData("utf_8", 65001)]
    [InlineData("utf-8-sig", 65001)]
    [InlineData("65001", 65001)]
    [InlineData("UTF-16LE", 1200)]
    [InlineData("utf16be", 1201)]
    [InlineData("ascii", 20127)]
    [InlineData("latin1", 28591)]
    [InlineData("Latin-1", 28591)]
    [InlineData("ISO8859-15", 28605)]
    [InlineData("iso_8859_2", 28592)]
    [InlineData("latin9", 28605)]
    [InlineData("cp1252", 1252)]
    [InlineData("1252", 1252)]
    [InlineData("win-1251", 1251)]
    [InlineData("cp-850", 850)]
    [InlineData("IBM437", 437)]
    [InlineData("koi8r", 20866)]
    [InlineData("MacRoman", 10000)]
    [InlineData("sjis", 932)]
    [InlineData("Shift-JIS", 932)]
    [InlineData("shiftjis", 932)]
    [InlineData("windows-31j", 932)]
    [InlineData("MS932", 932)]
    [InlineData("cp932", 932)]
    [InlineData("932", 932)]
    [InlineData("eucjp", 51932)]
    [InlineData("GBK", 936)]
    [InlineData("cp936", 936)]
    [InlineData("gb18030", 54936)]
    [InlineData("Big5", 950)]
    [InlineData("EUC_KR", 51949)]
    [InlineData("csISOLatin1", 28591)]
    public void Encodings_are_known_by_their_usual_names(string name, int expected)
    {
        CsvEncodingNames.TryFind(name, out var codePage).ShouldBeTrue();

        codePage.ShouldBe(expected);
    }

    [Fact]
    public void Every_name_that_the_refusal_proposes_is_known()
    {
        foreach (var name in CsvEncodingNames.Known.Split(", ").SelectMany(n => n.Split(" to ")))
        {
            CsvEncodingNames.TryFind(name, out _).ShouldBeTrue(name);
        }
    }

    [Fact]
    public async Task Rejected_rows_are_safe_to_open_in_a_spreadsheet_program_if_asked_for()
    {
        const string Text = "id,name,mail,land,since\n=1+1\n\"\t@x\"\nplain\n";
        await StartWorkerAsync<ImportUsers>();

        var exact = await ImportAsync(Text);
        var safe = await ImportAsync(Text, p => p with { Spreadsheet = true });

        Rejected(await ReadResultFileAsync(exact, "rejected.csv")).Select(r => r.Text).ShouldBe(["=1+1", "\"\t@x\"", "plain"]);
        Rejected(await ReadResultFileAsync(safe, "rejected.csv")).Select(r => r.Text).ShouldBe(["'=1+1", "\"\t@x\"", "plain"]);
    }

    [Theory]
    [InlineData("red", HeavyTaskStatus.Succeeded)]
    [InlineData("", HeavyTaskStatus.Succeeded)]
    [InlineData("blue", HeavyTaskStatus.Failed)]
    [InlineData("RED", HeavyTaskStatus.Failed)]
    public async Task A_task_reads_no_file_of_another_tenant(string tenant, HeavyTaskStatus expected)
    {
        await StartWorkerAsync<ImportUsers>();
        var id = await UploadAsync(Encoding.UTF8.GetBytes("id,name,mail,land,since\n1,Ada,ada@example.com,GB,2024-01-31\n"), "red");
        await using var scope = Worker.Services.CreateAsyncScope();
        var parameters = new ImportUsersParameters { FileId = id, Columns = AllColumns };
        var options = new HeavyTaskSubmitOptions { MaxFailures = 1, TenantId = tenant };
        var taskId = await scope.ServiceProvider.GetRequiredService<IHeavyTasks>().SubmitAsync(parameters, options);
        await scope.ServiceProvider.GetRequiredService<PlatformDbContext>().SaveChangesAsync();

        var task = await Worker.FinishedAsync(taskId);

        task.Status.ShouldBe(expected, task.Error);
        task.TenantId.ShouldBe(tenant);
        (await UsersAsync()).Count.ShouldBe(expected == HeavyTaskStatus.Succeeded ? 1 : 0);
    }

    [Fact]
    public async Task A_missing_file_fails_the_task_at_once()
    {
        await StartWorkerAsync<ImportUsers>();
        var id = Guid.CreateVersion7();

        var task = await Worker.RunAsync(new ImportUsersParameters { FileId = id, Columns = AllColumns }, maxFailures: 3);

        task.Status.ShouldBe(HeavyTaskStatus.Failed);
        task.Failures.ShouldBe(1);
        task.Error.ShouldBe($"Parameter fileId: there is no file {id}, or its upload is not finished.");
    }

    [Fact]
    public async Task A_file_whose_upload_is_not_finished_fails_the_task()
    {
        await StartWorkerAsync<ImportUsers>();
        var file = new StoredFile
        {
            Id = Guid.CreateVersion7(),
            Name = "users.csv",
            CreatedAt = DateTime.UnixEpoch,
        };
        await using (var db = Database.CreateContext())
        {
            db.Add(file);
            await db.SaveChangesAsync();
        }

        var task = await Worker.RunAsync(new ImportUsersParameters { FileId = file.Id, Columns = AllColumns });

        task.Error.ShouldBe($"Parameter fileId: there is no file {file.Id}, or its upload is not finished.");
    }

    [Fact]
    public async Task A_file_that_is_deleted_while_it_is_imported_fails_the_task()
    {
        await StartWorkerAsync<ImportUsers>();
        var id = await UploadAsync(Encoding.UTF8.GetBytes(Rows(40_000)));
        await using (var db = Database.CreateContext())
        {
            (await db.FileChunks.Where(c => c.FileId == id && c.Number > 0).ExecuteDeleteAsync()).ShouldBeGreaterThan(0);
        }

        var task = await Worker.RunAsync(new ImportUsersParameters { FileId = id, Columns = AllColumns }, maxFailures: 3);

        task.Failures.ShouldBe(1);
        task.Error.ShouldNotBeNull().ShouldStartWith($"Parameter fileId: file {id} was deleted while it was imported.");
    }

    [Fact]
    public async Task The_legislators_are_imported_as_far_as_they_have_a_full_name()
    {
        var path = SharedData.Find("legislators-historical.csv");
        var content = await File.ReadAllBytesAsync(path);
        var columns = new ImportUsersColumns
        {
            ExternalId = "bioguide_id",
            Name = "full_name",
            Country = "state",
            SignedUpAt = "birthday",
        };
        var people = ReadPeople(content);
        await StartWorkerAsync<ImportUsers>();

        var task = await ImportAsync(content, p => p with { Columns = columns with { SignedUpAt = null } });

        Result(task).ShouldBe(new ImportUsersResult(12_230, 601, 0, 0, 11_629));
        (await StoredAsync()).ShouldBe(
            Sorted(people.Where(p => p.FullName.Length > 0).Select(p => User(p.Id, p.FullName, country: p.State)))
        );
        var rejected = Rejected(await ReadResultFileAsync(task, "rejected.csv"));
        rejected.Count.ShouldBe(11_629);
        rejected.ShouldAllBe(r => r.Reason == "name is missing");
        rejected.Select(r => r.Line).ShouldBe(people.Where(p => p.FullName.Length == 0).Select(p => p.Line));

        // Every user has a last name.
        var again = await ImportAsync(
            content,
            p => p with { Columns = columns with { SignedUpAt = null, Name = "last_name" }, OnExisting = ExistingUser.Update }
        );

        Result(again).ShouldBe(new ImportUsersResult(12_230, 11_629, 601, 0, 0));
        (await StoredAsync()).ShouldBe(Sorted(people.Select(p => User(p.Id, p.LastName, country: p.State))));
    }

    private static string Rows(int count)
    {
        var text = new StringBuilder("id,name,mail,land,since\n");
        for (var i = 1; i <= count; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"u{i},User {i},,,\n");
        }

        return text.ToString();
    }

    private static UserRow User(string externalId, string name, string? email = null, string? country = null) =>
        new(externalId, name, email, country, null);

    private static IEnumerable<UserRow> Sorted(IEnumerable<UserRow> users) => users.OrderBy(u => u.ExternalId, StringComparer.Ordinal);

    private static ImportUsersResult Result(HeavyTask task) =>
        JsonSerializer.Deserialize<ImportUsersResult>(task.Result!, HeavyTaskJson.Options)!;

    private static List<(int Line, string Reason, string Text)> Rejected(string csv)
    {
        using var reader = new CsvReader(new StringReader(csv), CultureInfo.InvariantCulture);
        reader.Read().ShouldBeTrue();
        reader.Parser.Record.ShouldBe(["line", "reason", "row"]);
        var rows = new List<(int, string, string)>();
        while (reader.Read())
        {
            reader.Parser.Count.ShouldBe(3);
            rows.Add((reader.GetField<int>(0), reader.GetField(1)!, reader.GetField(2)!));
        }

        return rows;
    }

    private static List<(int Line, string Id, string FullName, string LastName, string State)> ReadPeople(byte[] content)
    {
        using var reader = new CsvReader(new StreamReader(new MemoryStream(content)), CultureInfo.InvariantCulture);
        reader.Read();
        reader.ReadHeader();
        var people = new List<(int, string, string, string, string)>();
        while (reader.Read())
        {
            people.Add((reader.Parser.RawRow, reader["bioguide_id"]!, reader["full_name"]!, reader["last_name"]!, reader["state"]!));
        }

        return people;
    }

    private Task<HeavyTask> ImportAsync(
        string text,
        Func<ImportUsersParameters, ImportUsersParameters>? change = null,
        HeavyTaskStatus expected = HeavyTaskStatus.Succeeded
    ) => ImportAsync(Encoding.UTF8.GetBytes(text), change, expected);

    private async Task<HeavyTask> ImportAsync(
        byte[] content,
        Func<ImportUsersParameters, ImportUsersParameters>? change = null,
        HeavyTaskStatus expected = HeavyTaskStatus.Succeeded
    )
    {
        var parameters = new ImportUsersParameters { FileId = await UploadAsync(content), Columns = AllColumns };
        var task = await Worker.RunAsync(change is null ? parameters : change(parameters), maxFailures: 3);
        task.Status.ShouldBe(expected, task.Error);
        return task;
    }

    private async Task<List<UserRow>> StoredAsync() =>
        [.. Sorted((await UsersAsync()).Select(u => new UserRow(u.ExternalId, u.Name, u.Email, u.Country, u.SignedUpAt)))];
}

using System.Data.Common;
using System.Globalization;
using System.Text;
using CsvHelper;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Worker.Kinds.UsersExport;
using Platform.Worker.Kinds.UsersImport;

namespace Platform.Worker.Tests.Kinds.UsersExport;

public sealed class ExportUsersTests : KindTest
{
    private const string Header = "externalId,name,email,country,signedUpAt\r\n";

    private static readonly DateTime January = new(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public async Task Users_stand_in_the_file_as_RFC_4180_has_it()
    {
        await StartWorkerAsync<ExportUsers>();
        await AddUsersAsync([
            new User
            {
                ExternalId = "1",
                Name = "Ada",
                Email = "ada@example.org",
                Country = "GB",
                SignedUpAt = January,
            },
            new User { ExternalId = "2", Name = "Hopper, \"Grace\"\r\nMurray" },
            new User
            {
                ExternalId = "=3",
                Name = " é名😀 ",
                SignedUpAt = January.AddTicks(1_234_560),
            },
        ]);

        var task = await Worker.RunAsync(new ExportUsersParameters());

        task.Result.ShouldBe("""{"rows":3}""", task.Error);
        (await ReadResultFileAsync(task, "users.csv")).ShouldBe(
            Header
                + "1,Ada,ada@example.org,GB,2024-01-01T00:00:00Z\r\n"
                + "2,\"Hopper, \"\"Grace\"\"\r\nMurray\",,,\r\n"
                + "=3,\" é名😀 \",,,2024-01-01T00:00:00.123456Z\r\n"
        );
    }

    [Fact]
    public async Task Without_users_there_is_the_header()
    {
        await StartWorkerAsync<ExportUsers>();

        var task = await Worker.RunAsync(new ExportUsersParameters());

        task.Result.ShouldBe("""{"rows":0}""", task.Error);
        (await ReadResultFileAsync(task, "users.csv")).ShouldBe(Header);
    }

    [Theory]
    [InlineData("DE", null, null, "de-1 de-2 de-3 de-none")]
    [InlineData("de", null, null, "")]
    [InlineData(null, "2024-02-01T00:00:00Z", null, "de-2 de-3 fr-2")]
    [InlineData(null, "2024-02-01T02:00:00+02:00", "2024-03-01T00:00:00Z", "de-2 fr-2")]
    [InlineData(null, null, "2024-02-01T00:00:00Z", "de-1")]
    [InlineData("DE", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z", "de-2")]
    public async Task Filters_choose_the_users(string? country, string? from, string? before, string expected)
    {
        await StartWorkerAsync<ExportUsers>();
        await AddUsersAsync([
            new User
            {
                ExternalId = "de-1",
                Name = "x",
                Country = "DE",
                SignedUpAt = January,
            },
            new User
            {
                ExternalId = "de-2",
                Name = "x",
                Country = "DE",
                SignedUpAt = January.AddMonths(1),
            },
            new User
            {
                ExternalId = "de-3",
                Name = "x",
                Country = "DE",
                SignedUpAt = January.AddMonths(2),
            },
            new User
            {
                ExternalId = "de-none",
                Name = "x",
                Country = "DE",
            },
            new User
            {
                ExternalId = "fr-2",
                Name = "x",
                Country = "FR",
                SignedUpAt = January.AddMonths(2).AddTicks(-10),
            },
            new User { ExternalId = "none", Name = "x" },
        ]);

        var task = await Worker.RunAsync(
            new ExportUsersParameters
            {
                Country = country,
                SignedUpFrom = Parse(from),
                SignedUpBefore = Parse(before),
            }
        );

        var lines = (await ReadResultFileAsync(task, "users.csv")).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1);
        lines
            .Select(l => l[..l.IndexOf(',', StringComparison.Ordinal)])
            .ShouldBe(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        static DateTimeOffset? Parse(string? text) => text is null ? null : DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("=1+1")]
    [InlineData("+49 30 1")]
    [InlineData("-1")]
    [InlineData("@SUM(A1)")]
    [InlineData("\t=1")]
    [InlineData("\r=1")]
    [InlineData("\n=1")]
    [InlineData("\uFF1D1")]
    public async Task Formulas_are_text_in_a_file_for_a_spreadsheet_program(string value)
    {
        await StartWorkerAsync<ExportUsers>();
        await AddUsersAsync([
            new User
            {
                ExternalId = value,
                Name = value,
                Email = value,
                Country = value,
                SignedUpAt = January,
            },
            new User { ExternalId = "1=", Name = "a-b" },
        ]);

        var safe = await ReadResultFileAsync(await Worker.RunAsync(new ExportUsersParameters { Spreadsheet = true }), "users.csv");
        var exact = await ReadResultFileAsync(await Worker.RunAsync(new ExportUsersParameters()), "users.csv");

        Cells(safe).ShouldBe([.. Enumerable.Repeat($"'{value}", 4), "2024-01-01T00:00:00Z", "1=", "a-b", "", "", ""]);
        Cells(exact).ShouldBe([.. Enumerable.Repeat(value, 4), "2024-01-01T00:00:00Z", "1=", "a-b", "", "", ""]);

        static List<string> Cells(string csv)
        {
            using var parser = new CsvParser(new StringReader(csv), CultureInfo.InvariantCulture);
            parser.Read();
            var cells = new List<string>();
            while (parser.Read())
            {
                cells.AddRange(parser.Record!);
            }

            return cells;
        }
    }

    [Fact]
    public async Task Each_query_searches_a_bounded_range_of_ids_and_gaps_are_passed_over()
    {
        var queries = new UserQueries();
        await StartWorkerAsync<ExportUsers>(services =>
            services.ConfigureDbContext<PlatformDbContext>(options => options.AddInterceptors(queries))
        );
        var far = 4_000_000_000_000;
        await AddUsersAsync([
            .. Enumerable.Range(1, 200).Select(n => WithId(n * 1000L, "DE")),
            WithId(201_001, "FR"),
            WithId(far - 1, "FR"),
            WithId(far, "DE"),
            WithId(far + ExportUsers.IdsPerPage, "FR"),
            WithId(far + ExportUsers.IdsPerPage + 1, "DE"),
        ]);

        var task = await Worker.RunAsync(new ExportUsersParameters { Country = "FR" });

        task.Result.ShouldBe("""{"rows":3}""", task.Error);
        queries.Pages.Count.ShouldBeInRange(5, 12);
        queries.Pages.ShouldAllBe(p => p.To - p.From <= ExportUsers.IdsPerPage);

        static User WithId(long id, string country) =>
            new()
            {
                Id = id,
                ExternalId = $"u{id}",
                Name = "x",
                Country = country,
            };
    }

    [Fact]
    public async Task The_file_is_whole_wherever_the_attempts_are_cut_off()
    {
        var crashes = new CrashPlan([
            (1, Crash.BeforeCommit),
            (1, Crash.BetweenCheckpoints),
            (1, Crash.AfterCommit),
            (1, Crash.BeforeCommit),
            (1, Crash.BetweenCheckpoints),
        ]);
        await StartWorkerAsync<CrashingExport>(services => services.AddSingleton(crashes));
        var users = Enumerable.Range(1, 63_000).Select(n => new UserRow($"u{n}", $"User \"{n}\"", null, "DE", null)).ToArray();
        await WriteAsync(users);

        var task = await Worker.RunAsync(new ExportUsersParameters { Country = "DE" }, maxFailures: 10);

        task.Result.ShouldBe("""{"rows":63000}""", task.Error);
        crashes.Crashes.ShouldBe(5);
        task.Failures.ShouldBe(5);
        var expected = new StringBuilder(Header);
        foreach (var user in await UsersAsync())
        {
            expected.Append(CultureInfo.InvariantCulture, $"{user.ExternalId},\"User \"\"{user.ExternalId[1..]}\"\"\",,DE,\r\n");
        }

        (await ReadResultFileAsync(task, "users.csv")).ShouldBe(expected.ToString());
    }

    [Fact]
    public async Task Users_who_come_after_the_start_are_not_exported_so_that_it_ends()
    {
        var crashes = new CrashPlan([(1, Crash.AfterCommit)])
        {
            Crashed = () => AddUsersAsync([new User { ExternalId = "late", Name = "Late" }]),
        };
        await StartWorkerAsync<CrashingExport>(services => services.AddSingleton(crashes));
        await WriteAsync([.. Enumerable.Range(1, 20_001).Select(n => new UserRow($"u{n}", "x", null, null, null))]);

        var task = await Worker.RunAsync(new ExportUsersParameters(), maxFailures: 10);

        task.Result.ShouldBe("""{"rows":20001}""", task.Error);
        (await UsersAsync()).Count.ShouldBe(20_002);
        (await ReadResultFileAsync(task, "users.csv")).ShouldNotContain("late");
    }

    [Fact]
    public async Task What_was_exported_is_imported_as_it_was()
    {
        var random = new Random(3);
        string[] pieces =
        [
            "a",
            "é",
            "名",
            "😀",
            "\"",
            ",",
            ";",
            "\t",
            "|",
            "\r",
            "\n",
            "\r\n",
            " ",
            "=",
            "+",
            "-",
            "@",
            "\\",
            "\uFEFF",
            "\u0001",
            "'",
        ];
        string Text() => string.Concat(Enumerable.Range(0, random.Next(1, 8)).Select(_ => pieces[random.Next(pieces.Length)]));
        await StartWorkerAsync([typeof(ExportUsers), typeof(ImportUsers)]);
        await AddUsersAsync(
            Enumerable
                .Range(0, 7000)
                .Select(n => new User
                {
                    ExternalId = $"{n}{Text()}",
                    Name = $"{Text()}x",
                    Email = random.Next(3) == 0 ? null : Text(),
                    Country = random.Next(3) == 0 ? null : Text(),
                    SignedUpAt = random.Next(3) == 0 ? null : January.AddTicks(random.NextInt64(TimeSpan.TicksPerDay * 900) / 10 * 10),
                })
        );
        var before = Content(await UsersAsync());

        var export = await Worker.RunAsync(new ExportUsersParameters());
        await using (var db = Database.CreateContext())
        {
            await db.Users.ExecuteDeleteAsync();
        }

        // A result file can be imported like any other file.
        var import = await Worker.RunAsync(
            new ImportUsersParameters
            {
                FileId = export.ResultFileId!.Value,
                Columns = new ImportUsersColumns
                {
                    ExternalId = "externalId",
                    Name = "name",
                    Email = "email",
                    Country = "country",
                    SignedUpAt = "signedUpAt",
                },
            }
        );

        import.Result.ShouldBe("""{"rows":7000,"imported":7000,"updated":0,"skipped":0,"rejected":0}""", import.Error);
        Content(await UsersAsync()).ShouldBe(before);

        static List<UserRow> Content(List<User> users) =>
            [
                .. users
                    .Select(u => new UserRow(u.ExternalId, u.Name, u.Email, u.Country, u.SignedUpAt))
                    .OrderBy(u => u.ExternalId, StringComparer.Ordinal),
            ];
    }

    private async Task WriteAsync(UserRow[] users)
    {
        await using var db = Database.CreateContext();
        await using var transaction = await db.Database.BeginTransactionAsync();
        await new UserBulkWriter().WriteAsync(db, users, ExistingUser.Fail, UserColumns.None, CancellationToken.None);
        await transaction.CommitAsync();
    }

    /// <summary>Notes the ids between which each query for users searches.</summary>
    private sealed class UserQueries : DbCommandInterceptor
    {
        public List<(long From, long To)> Pages { get; } = [];

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command,
            CommandEventData eventData,
            InterceptionResult<DbDataReader> result,
            CancellationToken cancellationToken = default
        )
        {
            var isPage = command.CommandText.Contains("external_id", StringComparison.OrdinalIgnoreCase);
            var ids = command.Parameters.Cast<DbParameter>().Select(p => p.Value).OfType<long>().ToArray();
            if (isPage && ids.Length >= 2)
            {
                Pages.Add((ids[0], ids[1]));
            }

            return new(result);
        }
    }

    private sealed class CrashingExport(PlatformDbContext db, CrashPlan plan) : HeavyTaskHandler<ExportUsersParameters>
    {
        public override Task RunAsync(HeavyTaskContext<ExportUsersParameters> context) => new ExportUsers(db).RunAsync(plan.Wrap(context));
    }
}

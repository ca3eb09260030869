using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using MySqlConnector;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Support;

namespace Platform.Worker.Tests.Kinds.UsersImport;

/// <summary>Tests the bulk copy, which the connection string must allow.</summary>
public sealed class UserBulkCopyTests : IAsyncLifetime
{
    private const UserColumns All = UserColumns.Email | UserColumns.Country | UserColumns.SignedUpAt;

    private readonly UserBulkWriter writer = new();

    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task Allowed_it_writes_every_value_as_it_is()
    {
        UserRow[] rows =
        [
            new(
                "a\tb\\N",
                "Zoë \U0001F600 \"x\" 'y'",
                "a@example.org",
                "DE",
                new DateTime(2024, 1, 31, 12, 0, 0, DateTimeKind.Utc).AddTicks(1230)
            ),
            new("b", "line\nbreak\r", null, "", null),
        ];

        var (result, copies) = await WriteAsync("AllowLoadLocalInfile=true", rows, ExistingUser.Skip);

        result.ShouldBe(new UserBulkWriteResult(2, 0, null));
        copies.ShouldBe(1);
        (await StoredAsync()).ShouldBe(rows);
    }

    [Fact]
    public async Task Not_allowed_by_the_connection_string_it_is_not_tried()
    {
        var (result, copies) = await WriteAsync("AllowLoadLocalInfile=false", [new("a", "A", null, null, null)], ExistingUser.Skip);

        result.ShouldBe(new UserBulkWriteResult(1, 0, null));
        copies.ShouldBe(0);
    }

    // The setting belongs to the whole server; no other test depends on it.
    [Fact]
    public async Task Refused_by_the_server_the_users_are_inserted()
    {
        await database.ScalarAsync("SET GLOBAL local_infile = OFF");
        try
        {
            (await WriteAsync("AllowLoadLocalInfile=true", [new("a", "A", null, null, null)], ExistingUser.Skip)).Result.ShouldBe(
                new UserBulkWriteResult(1, 0, null)
            );
        }
        finally
        {
            await database.ScalarAsync("SET GLOBAL local_infile = ON");
        }

        (await StoredAsync()).ShouldBe([new("a", "A", null, null, null)]);
    }

    [Theory]
    [InlineData(ExistingUser.Skip, "Old", null)]
    [InlineData(ExistingUser.Update, "New", null)]
    [InlineData(ExistingUser.Fail, "Old", 1)]
    public async Task Users_that_exist_are_not_skipped_silently(ExistingUser mode, string name, int? firstExisting)
    {
        await WriteAsync("AllowLoadLocalInfile=true", [new("m", "Old", null, null, null)], mode);

        var (result, copies) = await WriteAsync(
            "AllowLoadLocalInfile=true",
            [new("z", "Z", null, null, null), new("m", "New", null, null, null), new("a", "A", null, null, null)],
            mode
        );

        result.ShouldBe(new UserBulkWriteResult(2, 1, firstExisting));
        copies.ShouldBe(1);
        (await StoredAsync()).ShouldBe([
            new("a", "A", null, null, null),
            new("m", name, null, null, null),
            new("z", "Z", null, null, null),
        ]);

        // Once the writer has met an existing user, it does not try the copy again.
        (await WriteAsync("AllowLoadLocalInfile=true", [new("n", "N", null, null, null)], mode)).Copies.ShouldBe(0);
    }

    [Fact]
    public async Task A_value_that_is_too_long_is_refused_and_not_cut()
    {
        var error = await Should.ThrowAsync<MySqlException>(() =>
            WriteAsync("AllowLoadLocalInfile=true", [new("a", new string('x', 5000), null, null, null)], ExistingUser.Skip)
        );

        error.ErrorCode.ShouldBe(MySqlErrorCode.DataTooLong);
        (await StoredAsync()).ShouldBeEmpty();
    }

    private async Task<(UserBulkWriteResult Result, int Copies)> WriteAsync(string setting, UserRow[] rows, ExistingUser mode)
    {
        await using var db = PlatformDatabase.CreateContext($"{database.ConnectionString};Pooling=false;{setting}");
        await using var transaction = await db.Database.BeginTransactionAsync();
        var result = await writer.WriteAsync(db, rows, mode, All, CancellationToken.None);
        var copies = await CopiesAsync(db);
        await transaction.CommitAsync();
        return (result, copies);
    }

    // Counts the LOAD DATA commands of this session, including refused ones.
    private static async Task<int> CopiesAsync(PlatformDbContext db)
    {
        await using var command = new MySqlCommand("SHOW SESSION STATUS LIKE 'Com_load'", (MySqlConnection)db.Database.GetDbConnection())
        {
            Transaction = (MySqlTransaction)db.Database.CurrentTransaction!.GetDbTransaction(),
        };
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return int.Parse(reader.GetString(1), CultureInfo.InvariantCulture);
    }

    private async Task<List<UserRow>> StoredAsync()
    {
        await using var db = database.CreateContext();
        return await db
            .Users.OrderBy(u => u.ExternalId)
            .Select(u => new UserRow(u.ExternalId, u.Name, u.Email, u.Country, u.SignedUpAt))
            .ToListAsync();
    }
}

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>What the platform decided about MySQL and MariaDB, whose defaults differ.</summary>
public sealed class MySqlServerTests : WorkerTest
{
    private static readonly DateTime Time = new(2026, 1, 2, 3, 4, 5, 678, 901, DateTimeKind.Utc);

    [Fact]
    public async Task Keys_that_differ_in_case_or_accent_are_different()
    {
        await AddUsersAsync("ada", "Ada", "adá");

        await using var db = Database.CreateContext();
        (await db.Users.Where(u => u.ExternalId == "ADA").CountAsync()).ShouldBe(0);
        (await db.Users.Where(u => u.ExternalId == "Ada").CountAsync()).ShouldBe(1);
    }

    // The caveat of docs/mysql.md.
    [Fact]
    public async Task Keys_that_differ_in_trailing_spaces_are_the_same()
    {
        await AddUsersAsync("ada");

        var error = await Should.ThrowAsync<DbUpdateException>(() => AddUsersAsync("ada "));

        DatabaseProvider.IsDuplicateKey(error).ShouldBeTrue();
    }

    [Fact]
    public async Task Characters_of_four_bytes_and_microseconds_survive_and_times_are_UTC()
    {
        await AddUsersAsync("🦊");

        await using var db = Database.CreateContext();
        var user = await db.Users.AsNoTracking().SingleAsync();
        user.ExternalId.ShouldBe("🦊");
        user.SignedUpAt.ShouldBe(Time);
        user.SignedUpAt!.Value.Kind.ShouldBe(DateTimeKind.Utc);
    }

    [Fact]
    public async Task Keys_of_the_longest_kind_fit_into_their_index_and_longer_ones_are_refused_not_cut()
    {
        // The server counts characters, of up to four bytes each; C# counts two for such a one.
        var longest = string.Concat(Enumerable.Repeat("🦊", User.MaxExternalIdLength));
        await AddUsersAsync(longest);

        await using var db = Database.CreateContext();
        (await db.Users.CountAsync(u => u.ExternalId == longest)).ShouldBe(1);
        await Should.ThrowAsync<DbUpdateException>(() => AddUsersAsync($"{longest}🦊"));
        (await db.Users.CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task Ids_are_16_bytes_in_the_order_of_their_text()
    {
        var first = await InsertAsync();
        var second = await InsertAsync();

        (await Database.ScalarAsync("SELECT max(length(id)) FROM heavy_tasks")).ShouldBe(16L);
        await using var db = Database.CreateContext();
        (await db.HeavyTasks.OrderBy(t => t.Id).Select(t => t.Id).ToListAsync()).ShouldBe(new[] { first, second }.Order());
    }

    [Fact]
    public async Task Contexts_of_a_service_find_tasks_by_a_list_of_ids_and_by_the_text_of_one()
    {
        var id = await InsertAsync();
        var worker = await StartWorkerAsync(("HeavyTasks:VanishedAfter", "00:10:00"));
        await using var scope = worker.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
        Guid[] ids = [id, Guid.NewGuid()];

        (await db.HeavyTasks.CountAsync(t => ids.Contains(t.Id))).ShouldBe(1);
        var text = id.ToString();
        (await db.HeavyTasks.CountAsync(t => t.Id.ToString() == text)).ShouldBe(1);
    }

    [Fact]
    public async Task The_database_counts_fractions_of_a_second()
    {
        await InsertAsync();
        await using var db = Database.CreateContext();
        var seconds = 0.25;

        var times = await db
            .HeavyTasks.Select(t => new { Now = DatabaseClock.UtcNow(), Later = DatabaseClock.UtcNow().AddSeconds(seconds) })
            .SingleAsync();

        (times.Later - times.Now).ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Statements_and_transactions_of_a_service_read_what_is_committed(bool transaction)
    {
        var worker = await StartWorkerAsync();
        await using var scope = worker.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PlatformDbContext>();
        await db.Database.OpenConnectionAsync();
        await using var begun = transaction ? await db.Database.BeginTransactionAsync() : null;

        await using var command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = "SHOW SESSION VARIABLES WHERE variable_name IN ('tx_isolation', 'transaction_isolation')";
        command.Transaction = begun?.GetDbTransaction();
        await using var reader = await command.ExecuteReaderAsync();
        (await reader.ReadAsync()).ShouldBeTrue();
        reader.GetString(1).ShouldBe("READ-COMMITTED");
    }

    [Fact]
    public async Task A_connection_that_the_server_ended_while_it_was_idle_does_not_fail_a_task()
    {
        var worker = await StartWorkerAsync();
        await Database.EndConnectionsAsync("platform-tests");

        var task = await worker.FinishedAsync(await worker.SubmitAsync(new TestParameters()));

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        task.Attempt.ShouldBe(1);
    }

    // What the API answers with 503. The driver's own error is not a MySqlException where a transaction begins.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_the_server_ended_under_a_request_is_unavailable(bool transaction)
    {
        await using var db = Database.CreateContext();
        await db.Database.OpenConnectionAsync();
        var id = await db.Database.SqlQueryRaw<long>("SELECT connection_id() AS `Value`").SingleAsync();
        await Database.ScalarAsync($"KILL {id}");

        var error = await Should.ThrowAsync<Exception>(() => transaction ? db.Database.BeginTransactionAsync() : db.Users.CountAsync());

        DatabaseProvider.IsConnectionUnavailable(error).ShouldBeTrue(error.ToString());
    }

    private async Task AddUsersAsync(params string[] externalIds)
    {
        await using var db = Database.CreateContext();
        db.Users.AddRange(
            externalIds.Select(id => new User
            {
                ExternalId = id,
                Name = id,
                SignedUpAt = Time,
            })
        );
        await db.SaveChangesAsync();
    }
}

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>Tests what the platform decided about MySQL and MariaDB, whose defaults differ.</summary>
public sealed class MySqlServerTests : WorkerTest
{
    private static readonly DateTime Time = new(2026, 1, 2, 3, 4, 5, 678, 901, DateTimeKind.Utc);

    // docs/mysql.md describes this limitation.
    [Fact]
    public async Task Keys_that_differ_in_trailing_spaces_are_the_same()
    {
        await AddUsersAsync("ada");

        var error = await Should.ThrowAsync<DbUpdateException>(() => AddUsersAsync("ada "));

        Dialect.Current.IsDuplicateKey(error).ShouldBeTrue();
    }

    [Fact]
    public async Task Keys_of_the_longest_kind_fit_into_their_index_and_longer_ones_are_refused_not_cut()
    {
        // The server counts a character of up to four bytes as one; C# counts it as two.
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
    public async Task A_connection_that_the_server_ended_while_it_was_idle_does_not_fail_a_task()
    {
        var worker = await StartWorkerAsync();
        await Database.EndConnectionsAsync("platform-tests");

        var task = await worker.FinishedAsync(await worker.SubmitAsync(new TestParameters()));

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        task.Attempt.ShouldBe(1);
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

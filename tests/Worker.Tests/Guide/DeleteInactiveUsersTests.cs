using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Testing;
using Platform.Persistence;
using Platform.Support;
using Platform.Worker.Kinds.UsersDeleteInactive;

namespace Platform.Worker.Tests.Kinds.UsersDeleteInactive;

public sealed class DeleteInactiveUsersTests
{
    private static readonly DateTimeOffset Limit = new(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Users_from_before_the_limit_are_deleted_once_also_when_the_worker_dies(int? killAfterCheckpoint)
    {
        await using var database = await TestDatabase.CreateAsync();
        await using (var db = database.CreateContext())
        {
            db.Users.AddRange(Enumerable.Range(0, 2_500).Select(number => User($"old-{number}", Limit.AddSeconds(-1 - number))));
            db.Users.Add(User("new", Limit));
            await db.SaveChangesAsync();
        }

        await using var worker = await HeavyTaskTestHarness.StartAsync<PlatformDbContext, DeleteInactiveUsers>(database.ConnectionString);
        var parameters = new DeleteInactiveUsersParameters { SignedUpBefore = Limit };

        var task = await worker.RunAsync(parameters, killAfterCheckpoint: killAfterCheckpoint);

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded, task.Error);
        task.Result.ShouldBe("""{"deleted":2500}""");
        await using var after = database.CreateContext();
        (await after.Users.Select(u => u.ExternalId).ToListAsync()).ShouldBe(["new"]);
    }

    private static User User(string externalId, DateTimeOffset signedUpAt) =>
        new()
        {
            ExternalId = externalId,
            Name = externalId,
            SignedUpAt = signedUpAt.UtcDateTime,
        };
}

using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Worker.Kinds.UsersStatistics;

namespace Platform.Worker.Tests.Kinds.UsersStatistics;

public sealed class CountUsersTests : KindTest
{
    [Fact]
    public async Task Users_are_counted_per_country_and_per_month_of_sign_up()
    {
        await StartWorkerAsync<CountUsers>();
        await AddUsersAsync([
            User("1", "FR", new DateTime(2024, 1, 31, 23, 59, 59, DateTimeKind.Utc)),
            User("2", "DE", new DateTime(2024, 2, 1, 0, 0, 0, DateTimeKind.Utc)),
            User("3", "DE", new DateTime(2024, 2, 29, 23, 59, 59, DateTimeKind.Utc)),
            User("4", "DE", new DateTime(2023, 2, 28, 12, 0, 0, DateTimeKind.Utc)),
            User("5", null, new DateTime(2024, 2, 2, 0, 0, 0, DateTimeKind.Utc)),
            User("6", "FR", null),
            User("7", null, null),
            User("8", "É", new DateTime(1850, 12, 1, 0, 0, 0, DateTimeKind.Utc)),
        ]);

        var task = await Worker.RunAsync(new UserStatisticsParameters());

        task.Result.ShouldBe("""{"users":8,"countries":3,"months":4}""", task.Error);
        (await ReadResultFileAsync(task, "statistics.json")).ShouldBe(
            """
            {"users":8,
            "countries":[{"country":"DE","users":3},{"country":"FR","users":2},{"country":"\u00C9","users":1},{"country":null,"users":2}],
            "months":[{"month":"1850-12","users":1},{"month":"2023-02","users":1},{"month":"2024-01","users":1},{"month":"2024-02","users":3},{"month":null,"users":2}]}
            """.Replace("\n", "", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Without_users_there_is_nothing_to_count()
    {
        await StartWorkerAsync<CountUsers>();

        var task = await Worker.RunAsync(new UserStatisticsParameters());

        task.Result.ShouldBe("""{"users":0,"countries":0,"months":0}""", task.Error);
        (await ReadResultFileAsync(task, "statistics.json")).ShouldBe("""{"users":0,"countries":[],"months":[]}""");
    }

    private static User User(string id, string? country, DateTime? signedUpAt) =>
        new()
        {
            ExternalId = id,
            Name = "x",
            Country = country,
            SignedUpAt = signedUpAt,
        };
}

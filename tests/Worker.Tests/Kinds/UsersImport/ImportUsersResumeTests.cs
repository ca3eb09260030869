using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Worker.Kinds.UsersImport;

namespace Platform.Worker.Tests.Kinds.UsersImport;

public sealed class ImportUsersResumeTests : KindTest
{
    private const int Checkpoints = 9;
    private const int Records = (Checkpoints * 5000) - 100;

    public static TheoryData<string> Plans =>
        new("at every checkpoint before its commit", "at every checkpoint after its commit", "between all checkpoints", "anywhere");

    [Theory]
    [MemberData(nameof(Plans))]
    public async Task Every_row_is_there_once_wherever_the_attempts_are_cut_off(string plan)
    {
        var random = new Random(42);
        (int, Crash)[] attempts = plan switch
        {
            // An attempt whose commit did not happen must get further than the one before it.
            "at every checkpoint before its commit" =>
            [
                .. Enumerable.Range(0, Checkpoints).SelectMany(n => new[] { (1, Crash.BeforeCommit), (1, Crash.AfterCommit) }),
            ],
            "at every checkpoint after its commit" => [.. Enumerable.Repeat((1, Crash.AfterCommit), Checkpoints)],
            "between all checkpoints" => [.. Enumerable.Repeat((1, Crash.BetweenCheckpoints), Checkpoints)],
            _ => [.. Enumerable.Range(0, 30).Select(_ => (random.Next(1, 3), (Crash)random.Next(3)))],
        };
        var crashes = new CrashPlan(attempts);
        var (content, users, rejectedCsv, repeated) = Generate();
        await StartWorkerAsync<CrashingImport>(services => services.AddSingleton(crashes));
        var parameters = new ImportUsersParameters
        {
            FileId = await UploadAsync(content),
            Columns = new ImportUsersColumns { ExternalId = "externalId", Name = "name" },
        };

        var task = await Worker.RunAsync(parameters, maxFailures: 100);

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded, task.Error);
        crashes.Crashes.ShouldBeGreaterThanOrEqualTo(Checkpoints);
        task.Failures.ShouldBe(crashes.Crashes);
        var rejected = Records - users.Count - repeated;
        task.Result.ShouldBe(
            $$"""{"rows":{{Records}},"imported":{{users.Count}},"updated":0,"skipped":{{repeated}},"rejected":{{rejected}}}"""
        );
        (await UsersAsync()).Select(u => (u.ExternalId, u.Name)).Order().ShouldBe(users.Order());
        (await ReadResultFileAsync(task, "rejected.csv")).ShouldBe(rejectedCsv);
    }

    [Fact]
    public async Task Two_imports_that_bring_the_same_users_in_opposite_order_both_succeed()
    {
        await StartWorkerAsync<ImportUsers>();
        var lines = Enumerable.Range(1, 20_000).Select(n => $"u{n},User {n}").ToArray();
        var one = await UploadAsync(Csv(lines));
        var other = await UploadAsync(Csv(lines.Reverse()));
        var columns = new ImportUsersColumns { ExternalId = "externalId", Name = "name" };

        var first = await Worker.SubmitAsync(new ImportUsersParameters { FileId = one, Columns = columns });
        var second = await Worker.SubmitAsync(
            new ImportUsersParameters
            {
                FileId = other,
                Columns = columns,
                OnExisting = ExistingUser.Update,
            }
        );
        var ended = await Task.WhenAll(Worker.FinishedAsync(first), Worker.FinishedAsync(second));

        ended.ShouldAllBe(t => t.Status == HeavyTaskStatus.Succeeded);
        await using var db = Database.CreateContext();
        (await db.Users.CountAsync()).ShouldBe(20_000);
    }

    private static (byte[] Content, List<(string, string)> Users, string RejectedCsv, int Repeated) Generate()
    {
        var lines = new List<string>();
        var users = new List<(string, string)>();
        var rejected = new StringBuilder("line,reason,row\r\n");
        var repeated = 0;
        var line = 2;
        for (var n = 1; n <= Records; n++)
        {
            if (n % 1000 == 500)
            {
                lines.Add($"u{n},");
                rejected.Append(CultureInfo.InvariantCulture, $"{line},name is missing,\"u{n},\"\r\n");
            }
            else if (n % 7000 == 0)
            {
                lines.Add($"u{n - 6999},again");
                repeated++;
            }
            else if (n % 3 == 0)
            {
                lines.Add($"u{n},\"Ü\n{n}\"");
                users.Add(($"u{n}", $"Ü\n{n}"));
                line++;
            }
            else
            {
                lines.Add($"u{n},Ü {n}");
                users.Add(($"u{n}", $"Ü {n}"));
            }

            line++;
        }

        return (Csv(lines), users, rejected.ToString(), repeated);
    }

    private static byte[] Csv(IEnumerable<string> lines) => Encoding.UTF8.GetBytes($"externalId,name\n{string.Join('\n', lines)}\n");

    private sealed class CrashingImport(IFileStore files, CrashPlan plan) : HeavyTaskHandler<ImportUsersParameters>
    {
        public override Task RunAsync(HeavyTaskContext<ImportUsersParameters> context) =>
            new ImportUsers(files).RunAsync(plan.Wrap(context));
    }
}

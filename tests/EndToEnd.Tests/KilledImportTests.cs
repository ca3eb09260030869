using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>The real worker imports a real file and is killed at random moments.</summary>
public sealed class KilledImportTests
{
    private const int Rows = 120_000;
    private const int RejectedEvery = 1_000;

    [Fact]
    public async Task An_import_killed_again_and_again_has_every_row_exactly_once()
    {
        await using var system = await TestSystem.StartAsync();
        var fileId = await system.UploadAsync("users.csv", Csv());
        var id = await system.SubmitAsync(
            "users.import",
            new ImportUsersParameters
            {
                FileId = fileId,
                Columns = new ImportUsersColumns
                {
                    ExternalId = "externalId",
                    Name = "name",
                    SignedUpAt = "signedUpAt",
                },
            }
        );
        var random = new Random(5);
        var kills = 0;
        while ((await system.ReadAsync(id)).Status is HeavyTaskStatus.Queued or HeavyTaskStatus.Running && kills < 6)
        {
            var attempt = (await system.ReadAsync(id)).Attempt;
            var worker = system.StartProcess("services/Worker", ("HeavyTasks:MaxCrashes", "100"));
            await Eventually.Async(
                async () => (await system.ReadAsync(id)) is var task && (task.Attempt > attempt || task.FinishedAt is not null),
                TimeSpan.FromSeconds(60),
                "the import goes on"
            );
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(50, 900)), TimeProvider.System, TestContext.Current.CancellationToken);
            await worker.KillAsync();
            kills++;
        }

        system.StartProcess("services/Worker", ("HeavyTasks:MaxCrashes", "100"));
        await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded, TimeSpan.FromSeconds(120));

        var finished = await system.ReadAsync(id);
        finished.Attempt.ShouldBeGreaterThan(1, "at least one kill hit the running import");
        var result = JsonDocument.Parse(finished.Result!).RootElement;
        result.GetProperty("rows").GetInt32().ShouldBe(Rows);
        result.GetProperty("rejected").GetInt32().ShouldBe(Rows / RejectedEvery);
        result.GetProperty("imported").GetInt32().ShouldBe(Rows - (Rows / RejectedEvery));
        await using var db = system.Database.CreateContext();
        (await db.Users.CountAsync(TestContext.Current.CancellationToken)).ShouldBe(Rows - (Rows / RejectedEvery));
        var rejected = await db.Files.SingleAsync(f => f.TaskId == id, TestContext.Current.CancellationToken);
        var chunks = await db
            .FileChunks.Where(c => c.FileId == rejected.Id)
            .OrderBy(c => c.Number)
            .Select(c => c.Data)
            .ToListAsync(TestContext.Current.CancellationToken);
        var lines = Encoding.UTF8.GetString([.. chunks.SelectMany(c => c)]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe((Rows / RejectedEvery) + 1, "a header and every rejected row once");
        lines.Distinct().Count().ShouldBe(lines.Length);
    }

    private static byte[] Csv()
    {
        var csv = new StringBuilder("externalId,name,signedUpAt\n");
        for (var i = 1; i <= Rows; i++)
        {
            csv.Append('u')
                .Append(i)
                .Append(",User ")
                .Append(i)
                .Append(',')
                .Append(i % RejectedEvery == 0 ? "not a date" : "2024-05-01")
                .Append('\n');
        }

        return Encoding.UTF8.GetBytes(csv.ToString());
    }
}

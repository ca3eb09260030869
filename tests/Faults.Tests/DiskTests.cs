using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Platform.Support;

namespace Platform.Faults.Tests;

public sealed class DiskTests
{
    private const int DiskMegabytes = 400;
    private static readonly TimeSpan Full = TimeSpan.FromSeconds(20);

    [Fact(Explicit = true)]
    public async Task The_disk_of_the_database_may_be_full_for_a_while()
    {
        await using var disk = await SmallDisk.CreateAsync(DiskMegabytes);
        var database = await PrivateDatabase.CreateInAsync(disk.Folder, DatabaseFaults.ServerSettings);
        await Disaster.SurviveAsync(
            database,
            await PrivateBroker.CreateAsync(),
            async system =>
            {
                Disaster.Write($"{disk.Fill() / 1024 / 1024} MB filled");
                await Disaster.WaitAsync(Full);
                var refusal = await FindRefusalAsync(system);
                disk.Free();
                Disaster.Write($"The server said: {refusal}");
                refusal.ShouldNotBeEmpty();
                if (!await AnswersAsync(system))
                {
                    Disaster.Write("The server ended and is started again.");
                    await system.Database.StartAsync();
                }

                await Disaster.AcceptAsync(system, 60);
            }
        );
    }

    // Empty when the server takes as much as it likes.
    private static async Task<string> FindRefusalAsync(FaultSystem system)
    {
        try
        {
            await using var db = system.CreateContext();
            db.Database.SetCommandTimeout(TimeSpan.FromSeconds(5));
            await db.Database.ExecuteSqlRawAsync("CREATE TABLE what_a_full_disk_refuses (large text)");
            for (var i = 0; i < 64; i++)
            {
                var large = string.Concat(Enumerable.Range(0, 2_000).Select(_ => Guid.NewGuid().ToString("N")));
                await db.Database.ExecuteSqlAsync($"INSERT INTO what_a_full_disk_refuses VALUES ({large})");
            }

            return "";
        }
        catch (Exception exception) when (exception is DbException or TimeoutException)
        {
            return exception.Message;
        }
    }

    private static async Task<bool> AnswersAsync(FaultSystem system)
    {
        try
        {
            await Eventually.Async(
                async () =>
                {
                    await using var db = system.CreateContext();
                    return await db.Database.CanConnectAsync();
                },
                TimeSpan.FromSeconds(15),
                "the server answers"
            );
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }
}

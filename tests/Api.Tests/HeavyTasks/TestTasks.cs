using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.Tests.HeavyTasks;

/// <summary>Brings tasks into the states that a worker brings them into, by the same transitions.</summary>
internal static class TestTasks
{
    public static readonly Guid Owner = Guid.CreateVersion7();

    public const string Worker = "host 42";

    private const string Kind = "users.statistics";

    /// <summary>Changes a status in a transaction.</summary>
    public static async Task ChangeAsync(this TestApi api, Func<TaskLifecycle, Task> change)
    {
        await using var scope = api.Services.CreateAsyncScope();
        await using var transaction = await scope.ServiceProvider.GetRequiredService<PlatformDbContext>().Database.BeginTransactionAsync();
        await change(scope.ServiceProvider.GetRequiredService<TaskLifecycle>());
        await transaction.CommitAsync();
    }

    public static async Task<HeavyTaskFence> RunningAsync(this TestApi api, Guid id)
    {
        await using var db = api.Database.CreateContext();
        var claimed = await Dialect.Current.ClaimAsync(db, id, Owner, Worker, CancellationToken.None);
        claimed.ShouldNotBeNull();
        return new HeavyTaskFence(id, claimed.Attempt, Owner);
    }

    public static async Task FailedAsync(this TestApi api, Guid id, string error = "It broke.")
    {
        var fence = await api.RunningAsync(id);
        await api.ChangeAsync(async lifecycle =>
            (await lifecycle.FailAsync(fence, Kind, AttemptOutcome.Failed, error, CancellationToken.None)).ShouldBeTrue()
        );
    }

    public static async Task CancelledAsync(this TestApi api, Guid id)
    {
        await api.ChangeAsync(async lifecycle => (await lifecycle.CancelWaitingAsync(id, CancellationToken.None)).ShouldBeTrue());
    }

    public static async Task SucceededAsync(this TestApi api, Guid id, string? result = null, Guid? resultFileId = null)
    {
        var fence = await api.RunningAsync(id);
        await using var scope = api.Services.CreateAsyncScope();
        var success = new HeavyTaskSuccess(TimeProvider.System.GetUtcNow().UtcDateTime, result, resultFileId, 0, null, null);
        await scope
            .ServiceProvider.GetRequiredService<TaskLifecycle>()
            .SucceedAsync(fence, Kind, success, TimeProvider.System, CancellationToken.None);
    }

    /// <summary>Creates a task that succeeded with this result file.</summary>
    public static async Task<Guid> SucceededWithFileAsync(
        this TestApi api,
        byte[] content,
        string name = "users.csv",
        string contentType = "text/csv"
    )
    {
        var files = api.Services.GetRequiredService<IFileStore>();
        var file = await files.UploadAsync(name, contentType, "", new MemoryStream(content), long.MaxValue, CancellationToken.None);
        var id = await api.Client.SubmitTaskAsync();
        await api.SucceededAsync(id, """{"rows":3}""", file.Id);
        return id;
    }

    /// <summary>Announces a kind as a worker does.</summary>
    public static async Task AnnounceAsync(this TestApi api, string kind)
    {
        await using var db = api.Database.CreateContext();
        db.Add(
            new AnnouncedKind
            {
                Name = kind,
                ParametersSchema = "{}",
                Service = "test",
                AnnouncedAt = TimeProvider.System.GetUtcNow().UtcDateTime,
            }
        );
        await db.SaveChangesAsync();
    }

    public static async Task<HeavyTask> FindTaskAsync(this TestApi api, Guid id)
    {
        await using var db = api.Database.CreateContext();
        return await db.HeavyTasks.AsNoTracking().SingleAsync(t => t.Id == id);
    }
}

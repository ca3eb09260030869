using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Deletes expired files: uploads that broke off, and what <see cref="Retention"/> has marked. A loop of its own, because a large file takes a
/// while. It runs in every worker; each file is deleted by one at a time.
/// </summary>
internal sealed partial class ExpiredFiles(
    FileDeletion deletion,
    IServiceScopeFactory scopes,
    IOptions<HeavyTaskOptions> options,
    TimeProvider time,
    ILogger<ExpiredFiles> logger
) : PollingLoop(Interval(options.Value), time, logger)
{
    private const int BatchSize = 100;

    private static TimeSpan Interval(HeavyTaskOptions options) =>
        TimeSpan.FromSeconds(Math.Min(60, options.RetentionInterval.TotalSeconds));

    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        var (total, deleted) = (0, BatchSize);
        while (deleted > 0)
        {
            var ids = await FindAsync(stoppingToken);
            deleted = 0;
            foreach (var id in ids)
            {
                deleted += await TryDeleteAsync(id, stoppingToken) ? 1 : 0;
            }

            total += deleted;
        }

        if (total > 0)
        {
            Deleted(logger, total);
        }
    }

    private async Task<List<Guid>> FindAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope
            .ServiceProvider.GetRequiredService<EngineContext>()
            .Db.Files.Where(f => f.ExpiresAt <= DatabaseClock.UtcNow())
            .OrderBy(f => f.ExpiresAt)
            .Select(f => f.Id)
            .Take(BatchSize)
            .ToListAsync(cancellationToken);
    }

    // A file that cannot be deleted must not keep the others.
    private async Task<bool> TryDeleteAsync(Guid id, CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                var step = await deletion.StepAsync(id, stoppingToken);
                if (step != FileDeletionStep.More)
                {
                    return step == FileDeletionStep.Deleted;
                }
            }
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            NotDeleted(logger, id, exception);
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Files} expired files were deleted.")]
    private static partial void Deleted(ILogger logger, int files);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Expired file {File} could not be deleted; it is tried again.")]
    private static partial void NotDeleted(ILogger logger, Guid file, Exception exception);
}

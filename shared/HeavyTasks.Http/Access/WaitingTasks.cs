using System.Collections.Concurrent;
using System.Security.Claims;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Counts the tasks of each client that wait (<see cref="AccessOptions.MaxWaitingTasks"/>). One statement counts them for all clients, every two
/// seconds while somebody submits; what this process accepts in between is added in memory. So a submission costs no statement.
/// </summary>
internal sealed partial class WaitingTasks(
    IServiceScopeFactory scopes,
    IOptions<AccessOptions> options,
    TimeProvider time,
    ILogger<WaitingTasks> logger
)
{
    /// <summary>After this time they are counted again, while requests still use the last count.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    // After this time requests wait until they are counted again.
    private static readonly TimeSpan Usable = TimeSpan.FromSeconds(10);

    // So long a request waits for a count, and another one begins beside it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    // Where counting takes long, a tenth of the time is spent on it.
    private const int Share = 10;

    // With more tasks that wait, the newest are not counted.
    private const int MaxCounted = 1_000_000;

    private readonly Lock gate = new();
    private Count? last;
    private Task<Count>? counting;
    private long countingSince;

    /// <summary>Counts one more task of a client; why that must not be, or null.</summary>
    /// <exception cref="Exception">The tasks could not be counted.</exception>
    public async ValueTask<string?> WhyNotAsync(ClaimsPrincipal client, CancellationToken cancellationToken)
    {
        var limit = options.Value.MaxWaitingTasks;
        if (limit == 0 || client.ClientId() is not { } id)
        {
            return null;
        }

        var count = Volatile.Read(ref last);
        if (count is null || time.GetElapsedTime(count.At) >= Usable + count.Pause)
        {
            try
            {
                count = await CountAgain().WaitAsync(Patience, time, cancellationToken);
            }
            catch (Exception exception)
                when (exception is TimeoutException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                throw new DatabaseBusyException("The tasks that wait could not be counted in time.");
            }
        }
        else if (time.GetElapsedTime(count.At) >= Fresh + count.Pause)
        {
            // If this fails, the next request after ten seconds hears of it.
            _ = CountAgain();
        }

        return count.TryAdd(id, limit)
            ? null
            : $"{limit} tasks of this client wait already (Access:MaxWaitingTasks). Submit more when some of them have begun.";
    }

    private Task<Count> CountAgain()
    {
        lock (gate)
        {
            if (counting is null || counting.IsCompleted || time.GetElapsedTime(countingSince) >= Patience)
            {
                countingSince = time.GetTimestamp();

                // It is not a part of the request that needs it first.
                using (ExecutionContext.SuppressFlow())
                {
                    counting = Task.Run(CountAsync);
                }
            }

            return counting;
        }
    }

    private async Task<Count> CountAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(Patience, time);
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
            var begun = time.GetTimestamp();
            var waiting = new Dictionary<string, int>(StringComparer.Ordinal);
            foreach (var status in HeavyTaskStatuses.Waiting)
            {
                var clients = await db
                    .HeavyTasks.Where(t => t.Status == status)
                    .OrderBy(t => t.Id)
                    .Take(MaxCounted)
                    .Where(t => t.SubmittedBy != null)
                    .GroupBy(t => t.SubmittedBy!)
                    .Select(tasks => new { Client = tasks.Key, Tasks = tasks.Count() })
                    .ToListAsync(limit.Token);
                foreach (var client in clients)
                {
                    waiting[client.Client] = waiting.GetValueOrDefault(client.Client) + client.Tasks;
                }
            }

            var count = new Count(new(waiting, StringComparer.Ordinal), begun, time.GetElapsedTime(begun) * Share);
            lock (gate)
            {
                // A count that took long must not hide a later one.
                if (last is null || last.At < begun)
                {
                    Volatile.Write(ref last, count);
                }
            }

            return count;
        }
        catch (Exception exception)
        {
            NotCounted(logger, LoggedText.Of(exception.GetBaseException().Message));
            throw;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The waiting tasks of clients could not be counted: {Reason}")]
    private static partial void NotCounted(ILogger logger, string reason);

    private sealed record Count(ConcurrentDictionary<string, int> Tasks, long At, TimeSpan Pause)
    {
        public bool TryAdd(string client, int limit)
        {
            while (true)
            {
                var now = Tasks.GetOrAdd(client, 0);
                if (now >= limit)
                {
                    return false;
                }

                if (Tasks.TryUpdate(client, now + 1, now))
                {
                    return true;
                }
            }
        }
    }
}

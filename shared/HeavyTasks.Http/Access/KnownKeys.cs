using System.Collections.Concurrent;
using System.Collections.Frozen;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// The keys of the database, as they were some seconds ago at most. Requests read them from memory, all keys together, so that no request
/// costs a statement, and a flood of wrong keys costs two a second.
/// </summary>
internal sealed partial class KnownKeys(IServiceScopeFactory scopes, TimeProvider time, ILogger<KnownKeys> logger)
{
    // After this time they are read again, while requests still use what is known.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(3);

    // After this time requests wait until they are read again: for so long a revoked key may still work.
    private static readonly TimeSpan Usable = TimeSpan.FromSeconds(10);

    // Between two looks for a key that is not known.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    // So long a request waits for a look, and another one begins beside it: a silent database may keep one for ever.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan UseInterval = TimeSpan.FromMinutes(1);

    private const int IdsPerStatement = 1_000;

    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<string, DateTime> used = new(StringComparer.Ordinal);
    private Snapshot? snapshot;
    private Task<Snapshot>? reading;
    private long readingSince;
    private int generation;
    private long usesWrittenAt = time.GetTimestamp();

    /// <summary>Finds a key that nobody revoked.</summary>
    /// <exception cref="Exception">The keys could not be read from the database.</exception>
    public async ValueTask<ApiKey?> FindAsync(string id, CancellationToken cancellationToken)
    {
        var asked = time.GetTimestamp();
        var known = Volatile.Read(ref snapshot);
        if (known is null || AgeOf(known) >= Usable)
        {
            known = await ReadAgain().WaitAsync(Patience, time, cancellationToken);
            if (AgeOf(known) >= Usable)
            {
                throw new TimeoutException("The database took long to show the keys of clients.");
            }
        }
        else if (AgeOf(known) >= Fresh)
        {
            // If this fails, the next request after the ten seconds hears of it.
            _ = ReadAgain();
        }

        // A key that is not known may have been made a moment ago, so the answer waits for a look that begins after the question.
        ApiKey? key;
        while (!known.Keys.TryGetValue(id, out key) && known.ReadAt < asked)
        {
            if (Pause - AgeOf(known) is { Ticks: > 0 } left)
            {
                await Task.Delay(left, time, cancellationToken);
            }

            known = await ReadAgain().WaitAsync(Patience, time, cancellationToken);
        }

        return key;
    }

    /// <summary>
    /// Remembers in which minute a key was used. That is written to its row about once a minute, together with a look at the keys.
    /// </summary>
    public void Used(ApiKey key)
    {
        var now = time.GetUtcNow().UtcDateTime;
        used[key.Id] = now.AddTicks(-(now.Ticks % UseInterval.Ticks));
    }

    /// <summary>Refuses a key from now on, because it was revoked here.</summary>
    public void Forget(string id)
    {
        lock (gate)
        {
            // What is being read at this moment may be from before.
            generation++;
            reading = null;
            if (snapshot is { } known)
            {
                var others = known.Keys.Where(key => key.Key != id).ToFrozenDictionary(StringComparer.Ordinal);
                Volatile.Write(ref snapshot, known with { Keys = others });
            }
        }
    }

    private TimeSpan AgeOf(Snapshot known) => time.GetElapsedTime(known.ReadAt);

    private Task<Snapshot> ReadAgain()
    {
        lock (gate)
        {
            // One look begins half a second after the other at the earliest, also when they fail.
            if (reading is null || time.GetElapsedTime(readingSince) >= (reading.IsCompleted ? Pause : Patience))
            {
                readingSince = time.GetTimestamp();

                // It is not a part of the request that needs it first.
                using (ExecutionContext.SuppressFlow())
                {
                    var mine = generation;
                    reading = Task.Run(() => ReadAsync(mine));
                }
            }

            return reading;
        }
    }

    private async Task<Snapshot> ReadAsync(int mine)
    {
        try
        {
            using var limit = new CancellationTokenSource(Patience, time);
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
            var readAt = time.GetTimestamp();
            var keys = await ApiKeys.Valid(db).AsNoTracking().OrderBy(k => k.Id).Take(ApiKeys.MaxKeys).ToListAsync(limit.Token);
            var read = new Snapshot(keys.ToFrozenDictionary(k => k.Id, StringComparer.Ordinal), readAt);
            lock (gate)
            {
                // A look that took long must not hide what a later one saw.
                if (mine == generation && (snapshot is null || snapshot.ReadAt < readAt))
                {
                    Volatile.Write(ref snapshot, read);
                }

                if (time.GetElapsedTime(usesWrittenAt) >= UseInterval)
                {
                    // Nobody waits for it.
                    usesWrittenAt = time.GetTimestamp();
                    _ = Task.Run(WriteUsesAsync);
                }
            }

            return read;
        }
        catch (Exception exception)
        {
            NotRead(logger, LoggedText.Of(exception.GetBaseException().Message));
            throw;
        }
    }

    // That a key was used may go unrecorded; that is no reason to refuse a request.
    private async Task WriteUsesAsync()
    {
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
            foreach (var minute in used.ToArray().GroupBy(use => use.Value))
            {
                foreach (var ids in minute.Select(use => use.Key).Chunk(IdsPerStatement))
                {
                    await db
                        .ApiKeys.Where(k => ids.Contains(k.Id))
                        .ExecuteUpdateAsync(set => set.SetProperty(k => k.LastUsedAt, minute.Key));
                }

                foreach (var use in minute)
                {
                    // Unless it was used again meanwhile.
                    used.TryRemove(use);
                }
            }
        }
        catch (Exception exception)
        {
            UsesNotWritten(logger, LoggedText.Of(exception.GetBaseException().Message));
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The keys of clients could not be read: {Reason}")]
    private static partial void NotRead(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "When keys were last used could not be written: {Reason}")]
    private static partial void UsesNotWritten(ILogger logger, string reason);

    private sealed record Snapshot(FrozenDictionary<string, ApiKey> Keys, long ReadAt);
}

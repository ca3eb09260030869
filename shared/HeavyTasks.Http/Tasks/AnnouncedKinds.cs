using System.Collections.Frozen;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// The kinds that workers announced, as this process read them last: at most 5 s ago. A name that is not among them is looked for once more,
/// at most once a second, so that a kind can be submitted as soon as it is announced. Callers that come while the table is read share the
/// answer, or its failure.
/// </summary>
internal sealed class AnnouncedKinds(IServiceScopeFactory scopes, TimeProvider time, ILogger<AnnouncedKinds> logger)
{
    /// <summary>How many kinds are read; the others, last by name, are not accepted.</summary>
    internal const int MaxKinds = 1_000;

    /// <summary>Whether a text can be the name of a kind.</summary>
    public static bool IsName(string text) => text.Length is > 0 and <= 100 && StorableText.IsStorable(text);

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FreshForUnknown = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private Task<Snapshot>? reading;
    private Snapshot? last;

    /// <summary>The kind with this name, or null when nobody announced it.</summary>
    public async ValueTask<AcceptedKind?> FindAsync(string name, CancellationToken cancellationToken)
    {
        var known = await GetAsync(Fresh, cancellationToken);
        return known.ByName.GetValueOrDefault(name) ?? (await GetAsync(FreshForUnknown, cancellationToken)).ByName.GetValueOrDefault(name);
    }

    /// <summary>All kinds.</summary>
    public async ValueTask<IReadOnlyList<AcceptedKind>> ListAsync(CancellationToken cancellationToken) =>
        (await GetAsync(Fresh, cancellationToken)).ByName.Values;

    private ValueTask<Snapshot> GetAsync(TimeSpan fresh, CancellationToken cancellationToken)
    {
        Task<Snapshot> read;
        lock (gate)
        {
            if (last is { } snapshot && time.GetElapsedTime(snapshot.ReadAt) < fresh)
            {
                return new(snapshot);
            }

            // Not the request's token: a client that goes away must not fail the others.
            read = reading ??= Task.Run(ReadAsync, CancellationToken.None);
        }

        return new(read.WaitAsync(cancellationToken));
    }

    private async Task<Snapshot> ReadAsync()
    {
        Snapshot? read = null;
        try
        {
            // The time before the query: what is announced while it runs may not be in its answer.
            var readAt = time.GetTimestamp();
            await using var scope = scopes.CreateAsyncScope();
            var rows = await scope
                .ServiceProvider.GetRequiredService<EngineContext>()
                .Db.AnnouncedKinds.AsNoTracking()
                .OrderBy(kind => kind.Name)
                .Take(MaxKinds)
                .ToListAsync(CancellationToken.None);
            return read = new Snapshot(readAt, rows.Select(KindOf).ToFrozenDictionary(kind => kind.Name, StringComparer.Ordinal));
        }
        finally
        {
            lock (gate)
            {
                last = read ?? last;
                reading = null;
            }
        }
    }

    // A kind that has not changed keeps its schema as it was compiled.
    private SchemaKind KindOf(AnnouncedKind row) =>
        last?.ByName.GetValueOrDefault(row.Name) is { } kind && kind.IsOf(row) ? kind : new SchemaKind(row, logger);

    private sealed record Snapshot(long ReadAt, FrozenDictionary<string, SchemaKind> ByName);
}

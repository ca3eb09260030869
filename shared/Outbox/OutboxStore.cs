using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.Outbox;

/// <summary>The statements of the relay. Each is its own short transaction on its own connection.</summary>
public interface IOutboxStore
{
    /// <summary>
    /// Leases up to <paramref name="limit"/> messages that nobody is sending, oldest first; fewer when their bodies are large together.
    /// </summary>
    Task<IReadOnlyList<OutboxMessage>> ClaimAsync(Guid relay, int limit, CancellationToken cancellationToken);

    /// <summary>Deletes confirmed messages, unless another relay leased them meanwhile.</summary>
    Task DeleteAsync(Guid[] ids, Guid relay, CancellationToken cancellationToken);

    /// <summary>Ends the lease: anybody may send them.</summary>
    Task ReleaseAsync(Guid[] ids, Guid relay, CancellationToken cancellationToken);

    /// <summary>Counts a failure and extends the lease: it is the pause before the next try, 30 s at first and twice as long each time, up to 8 min.</summary>
    Task PostponeAsync(Guid[] ids, Guid relay, CancellationToken cancellationToken);

    /// <summary>Not to be tried any more.</summary>
    Task SetAsideAsync(Guid id, Guid relay, string error, CancellationToken cancellationToken);

    /// <summary>Makes the space of deleted rows usable again, when enough were deleted since the last time or no more come.</summary>
    Task VacuumAsync(CancellationToken cancellationToken);
}

internal sealed class OutboxStore<TDbContext>(IServiceScopeFactory scopes) : IOutboxStore
    where TDbContext : DbContext
{
    // Bodies of one claim, in bytes: what an instance may hold in memory beside its buffer.
    private const int ClaimLength = 16 * 1024 * 1024;

    // While rows come and go, a vacuum for fewer costs more than it saves.
    private const int VacuumThreshold = 5_000;

    private long deleted;
    private long deletedAtLastLook;

    public async Task<IReadOnlyList<OutboxMessage>> ClaimAsync(Guid relay, int limit, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = Db(scope);

        // One condition that the planner has no statistics for, and one array: whatever the table was like when it was analyzed (empty,
        // or all leased), the oldest rows are found through the primary key and a backlog is not scanned for each batch.
        var statement =
            $$"""
            UPDATE {{Table(db)}} SET lease_owner = {0}, lease_until = now() + interval '30 seconds'
            WHERE id = ANY (ARRAY(
                SELECT id FROM (
                    SELECT id, sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS length_before
                    FROM (
                        SELECT id, body FROM {{Table(db)}}
                        WHERE CASE WHEN error IS NOT NULL THEN FALSE WHEN lease_owner IS NULL THEN TRUE ELSE lease_until < now() END
                        ORDER BY id LIMIT {1} FOR UPDATE SKIP LOCKED) AS locked) AS measured
                WHERE length_before < {2}))
            RETURNING *
            """;
        return await db.Set<OutboxMessage>().FromSqlRaw(statement, relay, limit, ClaimLength).AsNoTracking().ToListAsync(cancellationToken);
    }

    public async Task DeleteAsync(Guid[] ids, Guid relay, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        await Leased(Db(scope), ids, relay).ExecuteDeleteAsync(cancellationToken);
        Interlocked.Add(ref deleted, ids.Length);
    }

    public async Task ReleaseAsync(Guid[] ids, Guid relay, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        await Leased(Db(scope), ids, relay).ExecuteUpdateAsync(update => update.SetProperty(m => m.LeaseOwner, (Guid?)null), cancellationToken);
    }

    public async Task PostponeAsync(Guid[] ids, Guid relay, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = Db(scope);
        var statement =
            $$"""
            UPDATE {{Table(db)}} SET failures = failures + 1, lease_until = now() + interval '30 seconds' * 2 ^ least(failures, 4)
            WHERE id = ANY ({0}) AND lease_owner = {1}
            """;
        await db.Database.ExecuteSqlRawAsync(statement, [ids, relay], cancellationToken);
    }

    public async Task SetAsideAsync(Guid id, Guid relay, string error, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        await Leased(Db(scope), [id], relay).ExecuteUpdateAsync(update => update.SetProperty(m => m.Error, error), cancellationToken);
    }

    public async Task VacuumAsync(CancellationToken cancellationToken)
    {
        var now = Interlocked.Read(ref deleted);
        var moreToCome = now != deletedAtLastLook;
        deletedAtLastLook = now;
        if (now < (moreToCome ? VacuumThreshold : 1))
        {
            return;
        }

        await using var scope = scopes.CreateAsyncScope();
        var db = Db(scope);
        var statement = $"VACUUM (SKIP_LOCKED) {Table(db)}";
        await db.Database.ExecuteSqlRawAsync(statement, cancellationToken);
        deletedAtLastLook = Interlocked.Add(ref deleted, -now);
    }

    private static TDbContext Db(AsyncServiceScope scope) => scope.ServiceProvider.GetRequiredService<TDbContext>();

    private static string Table(TDbContext db)
    {
        var entity = db.Model.FindEntityType(typeof(OutboxMessage))
            ?? throw new InvalidOperationException($"{typeof(TDbContext).Name} has no outbox: call modelBuilder.AddOutbox() in OnModelCreating.");
        return db.GetService<ISqlGenerationHelper>().DelimitIdentifier(entity.GetTableName()!, entity.GetSchema());
    }

    private static IQueryable<OutboxMessage> Leased(TDbContext db, Guid[] ids, Guid relay) =>
        db.Set<OutboxMessage>().Where(m => ids.Contains(m.Id) && m.LeaseOwner == relay);
}

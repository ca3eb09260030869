using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.Outbox;

/// <summary>The statements of the relay. Each is its own short transaction on its own connection.</summary>
public interface IOutboxStore
{
    /// <summary>Leases up to <paramref name="limit"/> messages that nobody is sending.</summary>
    Task<IReadOnlyList<OutboxMessage>> ClaimAsync(Guid relay, int limit, CancellationToken cancellationToken);

    /// <summary>Deletes confirmed messages, unless another relay leased them meanwhile.</summary>
    Task DeleteAsync(Guid[] ids, Guid relay, CancellationToken cancellationToken);

    /// <summary>Ends the lease: anybody may send them.</summary>
    Task ReleaseAsync(Guid[] ids, Guid relay, CancellationToken cancellationToken);

    /// <summary>Counts a failure; with an <paramref name="error"/> the message is set aside.</summary>
    Task FailAsync(Guid id, Guid relay, string? error, CancellationToken cancellationToken);

    /// <summary>Makes the space of deleted rows usable again, when enough were deleted since the last time.</summary>
    Task VacuumAsync(CancellationToken cancellationToken);
}

internal sealed class OutboxStore<TDbContext>(IServiceScopeFactory scopes) : IOutboxStore
    where TDbContext : DbContext
{
    // Dead rows that a scan of the empty table would still visit; below this a vacuum costs more than it saves.
    private const int VacuumThreshold = 5_000;

    private long deletedSinceVacuum;

    public async Task<IReadOnlyList<OutboxMessage>> ClaimAsync(Guid relay, int limit, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<TDbContext>();
        return await db.Set<OutboxMessage>().FromSql(
            $"""
            UPDATE outbox_messages SET lease_owner = {relay}, lease_until = now() + interval '30 seconds'
            WHERE id IN (
                SELECT id FROM outbox_messages
                WHERE error IS NULL AND (lease_owner IS NULL OR lease_until < now())
                ORDER BY id LIMIT {limit} FOR UPDATE SKIP LOCKED)
            RETURNING *
            """).AsNoTracking().ToListAsync(cancellationToken);
    }

    public async Task DeleteAsync(Guid[] ids, Guid relay, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<TDbContext>();
        await db.Database.ExecuteSqlAsync(
            $"DELETE FROM outbox_messages WHERE id = ANY ({ids}) AND lease_owner = {relay}", cancellationToken);
        Interlocked.Add(ref deletedSinceVacuum, ids.Length);
    }

    public async Task ReleaseAsync(Guid[] ids, Guid relay, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<TDbContext>();
        await db.Database.ExecuteSqlAsync(
            $"UPDATE outbox_messages SET lease_owner = NULL WHERE id = ANY ({ids}) AND lease_owner = {relay}", cancellationToken);
    }

    public async Task FailAsync(Guid id, Guid relay, string? error, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<TDbContext>();
        var text = error?.Length > 4000 ? error[..4000] : error;

        // The lease is kept: it is the pause before the next try.
        await db.Database.ExecuteSqlAsync(
            $"UPDATE outbox_messages SET failures = failures + 1, error = {text} WHERE id = {id} AND lease_owner = {relay}", cancellationToken);
    }

    public async Task VacuumAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Read(ref deletedSinceVacuum) < VacuumThreshold)
        {
            return;
        }

        Interlocked.Exchange(ref deletedSinceVacuum, 0);
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<TDbContext>();
        await db.Database.ExecuteSqlRawAsync("VACUUM (SKIP_LOCKED, ANALYZE) outbox_messages", cancellationToken);
    }
}

using System.ComponentModel.DataAnnotations.Schema;
using System.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.Outbox;

/// <summary>The statements of the relay. Each method is its own short transaction on its own connection.</summary>
internal interface IOutboxStore
{
    /// <summary>
    /// Claims up to <paramref name="limit"/> messages, oldest first, that are due and that no process has in memory. Claims fewer if their
    /// bodies are large together.
    /// </summary>
    /// <param name="limit">The most messages to claim.</param>
    /// <param name="from">Looks only at messages that were due at this time or later; null for all.</param>
    /// <param name="cancellationToken">Ends the statement.</param>
    Task<OutboxClaim> ClaimWaitingAsync(int limit, DateTime? from, CancellationToken cancellationToken);

    /// <summary>Claims messages that a process had in memory since their insert and did not send before its lease ended.</summary>
    /// <param name="limit">The most messages to claim.</param>
    /// <param name="from">Looks only at ids above this one.</param>
    /// <param name="cancellationToken">Ends the statement.</param>
    Task<OutboxClaim> ClaimAbandonedAsync(int limit, Guid from, CancellationToken cancellationToken);

    /// <summary>Deletes confirmed messages, unless another relay claimed them meanwhile.</summary>
    Task DeleteAsync(LeasedMessages messages, CancellationToken cancellationToken);

    /// <summary>Ends the leases, so that any relay may send the messages.</summary>
    Task ReleaseAsync(LeasedMessages messages, CancellationToken cancellationToken);

    /// <summary>Ends the leases; any relay may send the messages after a pause.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="pause">The pause. If the messages failed, it doubles with each earlier failure, at most four times.</param>
    /// <param name="failed">Whether to count a failure.</param>
    /// <param name="cancellationToken">Ends the statement.</param>
    Task PostponeAsync(LeasedMessages messages, TimeSpan pause, bool failed, CancellationToken cancellationToken);

    /// <summary>Sets a message aside, so that it is not tried any more.</summary>
    Task SetAsideAsync(LeasedMessages message, string error, CancellationToken cancellationToken);

    /// <summary>
    /// Ends the long pauses of messages to a destination that answers again. Leaves out messages due within the length of a lease, because
    /// they may be under way.
    /// </summary>
    /// <returns>The number of messages; unless it is zero, there may be more.</returns>
    Task<int> ResumeAsync(Destination destination, CancellationToken cancellationToken);
}

/// <summary>The messages that a relay claimed.</summary>
/// <param name="Messages">The messages.</param>
/// <param name="Until">
/// When the lease ends, the same for all messages. It proves the claim, because another relay's claim ends at another time.
/// </param>
/// <param name="LastDueAt">When the last of the messages was due; null when there is none.</param>
/// <param name="LastId">The largest id of the messages; null when there is none.</param>
internal sealed record OutboxClaim(IReadOnlyList<OutboxMessage> Messages, DateTime Until, DateTime? LastDueAt, Guid? LastId)
{
    public static readonly OutboxClaim None = new([], default, null, null);
}

/// <summary>Messages that a relay has leased, with the proof of the leases.</summary>
/// <param name="Ids">The ids of the messages.</param>
/// <param name="Relay">The relay that owns the messages which were leased at their insert.</param>
/// <param name="Until">The ends of the leases of the messages that were claimed.</param>
internal sealed record LeasedMessages(Guid[] Ids, Guid Relay, DateTime[] Until);

internal sealed class OutboxStore<TDbContext>(IServiceScopeFactory scopes) : IOutboxStore
    where TDbContext : DbContext
{
    // The most bytes of bodies in one claim, which an instance holds in memory in addition to its buffer.
    private const int ClaimLength = 16 * 1024 * 1024;

    private const int ResumeLimit = 1_000;

    private static readonly int LeaseSeconds = (int)OutboxModel.Lease.TotalSeconds;

    public Task<OutboxClaim> ClaimWaitingAsync(int limit, DateTime? from, CancellationToken cancellationToken)
    {
        // A constant stands for "all", so that no second statement is needed; the index is searched from there.
        var first = from ?? DateTime.UnixEpoch;
        return ClaimAsync(
            table =>
                $$"""
                    {{SelectCandidates(table)}}
                    WHERE lease_owner IS NULL AND due_at >= {0} AND due_at <= {{OutboxSql.Now}} AND error IS NULL
                    ORDER BY due_at LIMIT {1} FOR UPDATE SKIP LOCKED
                    """,
            [first, limit],
            cancellationToken
        );
    }

    public Task<OutboxClaim> ClaimAbandonedAsync(int limit, Guid from, CancellationToken cancellationToken) =>
        ClaimAsync(
            table =>
                $$"""
                    {{SelectCandidates($"{table} {OutboxSql.ByPrimaryKey}")}}
                    WHERE id > {0} AND lease_owner IS NOT NULL AND due_at < {{OutboxSql.NowPlus($"-{LeaseSeconds}")}} AND error IS NULL
                    ORDER BY id LIMIT {1} FOR UPDATE SKIP LOCKED
                    """,
            [from, limit],
            cancellationToken
        );

    public Task DeleteAsync(LeasedMessages messages, CancellationToken cancellationToken) =>
        ExecuteAsync((table, parameters) => $"{OutboxSql.DeleteFrom(table)} WHERE {Leased(messages, parameters)}", cancellationToken);

    public Task ReleaseAsync(LeasedMessages messages, CancellationToken cancellationToken) =>
        ExecuteAsync(
            (table, parameters) =>
                $"UPDATE {table} {OutboxSql.ByPrimaryKey} SET lease_owner = NULL, due_at = {OutboxSql.Now} WHERE {Leased(messages, parameters)}",
            cancellationToken
        );

    public Task PostponeAsync(LeasedMessages messages, TimeSpan pause, bool failed, CancellationToken cancellationToken) =>
        ExecuteAsync(
            (table, parameters) =>
            {
                // MySQL assigns from left to right, so the pause is calculated before the count changes.
                parameters.Add(pause.TotalSeconds);
                return failed
                    ? $$"""
                        UPDATE {{table}} {{OutboxSql.ByPrimaryKey}} SET lease_owner = NULL, due_at = {{OutboxSql.NowPlus(
                            "{0} * POWER(2, LEAST(failures, 4))"
                        )}}, failures = failures + 1
                        WHERE {{Leased(messages, parameters)}}
                        """
                    : $$"""UPDATE {{table}} {{OutboxSql.ByPrimaryKey}} SET lease_owner = NULL, due_at = {{OutboxSql.NowPlus("{0}")}} WHERE {{Leased(messages, parameters)}}""";
            },
            cancellationToken
        );

    public Task SetAsideAsync(LeasedMessages message, string error, CancellationToken cancellationToken) =>
        ExecuteAsync(
            (table, parameters) =>
            {
                parameters.AddRange([error, OutboxModel.Never]);
                return $$"""UPDATE {{table}} {{OutboxSql.ByPrimaryKey}} SET lease_owner = NULL, due_at = {1}, error = {0} WHERE {{Leased(message, parameters)}}""";
            },
            cancellationToken
        );

    public async Task<int> ResumeAsync(Destination destination, CancellationToken cancellationToken)
    {
        var resumed = await TransactAsync(
            async (db, table) =>
            {
                var routing = destination.RoutingKey is null ? "routing_key IS NULL" : "routing_key = {1}";
                var select = $$"""
                    SELECT id AS {{Quote(db, "Value")}} FROM {{table}}
                    WHERE lease_owner IS NULL AND due_at > {{OutboxSql.NowPlus(
                        $"{LeaseSeconds}"
                    )}} AND error IS NULL AND destination_address = {0} AND {{routing}}
                    ORDER BY due_at LIMIT {{ResumeLimit}} FOR UPDATE SKIP LOCKED
                    """;
                object[] parameters = destination.RoutingKey is null
                    ? [destination.Address]
                    : [destination.Address, destination.RoutingKey];
                var postponed = await db.Database.SqlQueryRaw<Guid>(select, parameters).ToListAsync(cancellationToken);
                if (postponed.Count > 0)
                {
                    var ids = new List<object>();
                    var update =
                        $"UPDATE {table} {OutboxSql.ByPrimaryKey} SET due_at = {OutboxSql.Now} WHERE {OutboxSql.In("id", postponed, ids)}";
                    await db.Database.ExecuteSqlRawAsync(update, ids, cancellationToken);
                }

                return postponed;
            },
            cancellationToken
        );
        return resumed.Count;
    }

    private static string SelectCandidates(string table) =>
        $"SELECT id, due_at, octet_length(body) AS body_length, {OutboxSql.NowPlus($"{LeaseSeconds}")} AS lease_end FROM {table}";

    // Three statements, because MySQL's UPDATE returns no rows: lock and measure, lease what fits, fetch it.
    private Task<OutboxClaim> ClaimAsync(Func<string, string> select, object[] parameters, CancellationToken cancellationToken) =>
        TransactAsync(
            async (db, table) =>
            {
                var candidates = Fitting(
                    await db.Database.SqlQueryRaw<Candidate>(select(table), parameters).ToListAsync(cancellationToken)
                );
                if (candidates is not [.., var last])
                {
                    return OutboxClaim.None;
                }

                var ids = candidates.ConvertAll(c => c.Id);
                var leased = new List<object> { last.LeaseEnd };
                var lease =
                    $"UPDATE {table} {OutboxSql.ByPrimaryKey} SET lease_owner = NULL, due_at = {{0}} WHERE {OutboxSql.In("id", ids, leased)}";
                await db.Database.ExecuteSqlRawAsync(lease, leased, cancellationToken);
                var messages = await db.Set<OutboxMessage>()
                    .IgnoreQueryFilters()
                    .AsNoTracking()
                    .Where(m => ids.Contains(m.Id))
                    .ToListAsync(cancellationToken);
                return new OutboxClaim(messages, last.LeaseEnd, last.DueAt, ids.Max());
            },
            cancellationToken
        );

    private static List<Candidate> Fitting(List<Candidate> candidates)
    {
        long length = 0;
        return [.. candidates.TakeWhile((c, i) => (length += c.BodyLength) <= ClaimLength || i == 0)];
    }

    private static string Leased(LeasedMessages messages, List<object> parameters)
    {
        var ids = OutboxSql.In("id", messages.Ids, parameters);
        parameters.Add(messages.Relay);
        var owned = $"lease_owner = {{{parameters.Count - 1}}}";
        return messages.Until.Length == 0
            ? $"{ids} AND {owned}"
            : $"{ids} AND ({owned} OR lease_owner IS NULL AND {OutboxSql.In("due_at", messages.Until, parameters)})";
    }

    private Task<int> ExecuteAsync(Func<string, List<object>, string> statement, CancellationToken cancellationToken) =>
        TransactAsync(
            async (db, table) =>
            {
                var parameters = new List<object>();
                return await db.Database.ExecuteSqlRawAsync(statement(table, parameters), parameters, cancellationToken);
            },
            cancellationToken,
            inTransaction: false
        );

    private async Task<T> TransactAsync<T>(
        Func<TDbContext, string, Task<T>> use,
        CancellationToken cancellationToken,
        bool inTransaction = true
    )
    {
        CurrentWork.Value = "outbox";
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<TDbContext>();
        var table = Table(db);
        if (!inTransaction)
        {
            return await use(db, table);
        }

        return await db
            .Database.CreateExecutionStrategy()
            .ExecuteAsync(
                async token =>
                {
                    await using var transaction = await db.Database.BeginTransactionAsync(IsolationLevel.ReadCommitted, token);
                    var result = await use(db, table);
                    await transaction.CommitAsync(token);
                    return result;
                },
                cancellationToken
            );
    }

    private static string Table(TDbContext db)
    {
        var entity =
            db.Model.FindEntityType(typeof(OutboxMessage))
            ?? throw new InvalidOperationException(
                $"{typeof(TDbContext).Name} has no outbox: call modelBuilder.AddOutbox() in OnModelCreating."
            );
        return db.GetService<ISqlGenerationHelper>().DelimitIdentifier(entity.GetTableName()!, entity.GetSchema());
    }

    private static string Quote(TDbContext db, string name) => db.GetService<ISqlGenerationHelper>().DelimitIdentifier(name);

    /// <summary>A message that could be claimed.</summary>
    private sealed class Candidate
    {
        [Column("id")]
        public Guid Id { get; init; }

        [Column("due_at")]
        public DateTime DueAt { get; init; }

        [Column("body_length")]
        public int BodyLength { get; init; }

        [Column("lease_end")]
        public DateTime LeaseEnd { get; init; }
    }
}

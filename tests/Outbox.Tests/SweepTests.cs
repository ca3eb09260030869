using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.Support;

namespace Platform.Outbox.Tests;

/// <summary>Tests how much a sweep reads, counted in rows and not in seconds.</summary>
public sealed class SweepTests : IAsyncLifetime
{
    private const int Many = 100_000;
    private const string Nobody = "NULL";
    private const string Waiting = "-1";
    private const string FarAway = "1000000000";
    private const string Fine = "NULL";

    private readonly Guid relay = Guid.CreateVersion7();
    private TestDatabase? database;
    private DbConnection? session;
    private ServiceProvider? services;

    private OutboxStore<ShopDbContext> Store => new(services!.GetRequiredService<IServiceScopeFactory>());

    public async ValueTask InitializeAsync()
    {
        database = await Shop.CreateDatabaseAsync();
        session = await database.OpenAsync(pooled: false);

        // All statements of the store run in one session, whose reads can be counted.
        services = new ServiceCollection()
            .AddScoped(_ =>
            {
                var db = Shop.CreateContext(database.ConnectionString);
                db.Database.SetDbConnection(session);
                return db;
            })
            .BuildServiceProvider();
    }

    public async ValueTask DisposeAsync()
    {
        if (services is not null)
        {
            await services.DisposeAsync();
        }

        if (session is not null)
        {
            await session.DisposeAsync();
        }

        if (database is not null)
        {
            await database.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_sweep_reads_what_waits_and_nothing_of_what_is_postponed_set_aside_or_under_way()
    {
        await FillAsync(Many, Nobody, "3600", Fine);
        await FillAsync(Many, Nobody, FarAway, "'set aside'");
        await FillAsync(Many, ShopDatabase.Literal(relay), "0", Fine);
        (await ReadsOfAsync(() => Store.ClaimWaitingAsync(200, null, CancellationToken.None))).Claimed.ShouldBeEmpty();

        await FillAsync(1000, Nobody, Waiting, Fine);
        var (claimed, reads) = await ReadsOfAsync(() => Store.ClaimWaitingAsync(200, null, CancellationToken.None));

        claimed.Count.ShouldBe(200);

        // Each row is read a few times: found, locked, leased, fetched.
        reads.ShouldBeLessThan(200 * 10);
    }

    [Fact]
    public async Task A_backlog_is_read_once_and_not_from_its_beginning_for_each_batch()
    {
        await FillAsync(20_000, Nobody, Waiting, Fine);

        // An old reader makes the database keep what was deleted and changed.
        await using var reader = Shop.CreateContext(database!.ConnectionString);
        await using var snapshot = await reader.Database.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await reader.Outbox.CountAsync();

        DateTime? from = null;
        var perBatch = new List<long>();
        for (var left = 20_000; left > 0; )
        {
            OutboxClaim? claim = null;
            var (claimed, reads) = await ReadsOfAsync(async () =>
                claim = await Store.ClaimWaitingAsync(1000, from, CancellationToken.None)
            );
            claimed.Count.ShouldBe(1000);
            perBatch.Add(reads);
            from = claim!.LastDueAt;
            await Store.DeleteAsync(new LeasedMessages([.. claimed.Select(m => m.Id)], relay, [claim.Until]), CancellationToken.None);
            left -= claimed.Count;
        }

        perBatch[^1].ShouldBeLessThan(2 * perBatch[1]);
    }

    [Fact]
    public async Task A_look_for_abandoned_messages_reads_only_ids_of_its_time()
    {
        await FillAsync(Many, Nobody, "3600", Fine);
        var from = Guid.CreateVersion7(TimeProvider.System.GetUtcNow().AddMinutes(-2));

        var (_, reads) = await ReadsOfAsync(() => Store.ClaimAbandonedAsync(200, from, CancellationToken.None));

        reads.ShouldBeLessThan(50);
    }

    [Fact]
    public async Task Claims_deletes_and_inserts_at_once_do_not_deadlock()
    {
        // These use connections of their own; otherwise they would wait for each other here.
        await using var pooled = new ServiceCollection()
            .AddScoped(_ => Shop.CreateContext(database!.ConnectionString))
            .BuildServiceProvider();
        var store = new OutboxStore<ShopDbContext>(pooled.GetRequiredService<IServiceScopeFactory>());
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var written = 0;
        var deleted = 0;
        var writers = Enumerable
            .Range(0, 4)
            .Select(async writer =>
            {
                while (!end.IsCancellationRequested)
                {
                    await using var scope = pooled.CreateAsyncScope();
                    var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
                    var leased = writer % 2 == 0;
                    var messages = Enumerable
                        .Range(0, 20)
                        .Select(_ => new OutboxMessage
                        {
                            Id = Guid.CreateVersion7(),
                            DestinationAddress = "exchange:nowhere",
                            ContentType = "text/plain",
                            Body = new byte[100],
                            LeaseOwner = leased ? relay : null,
                        })
                        .ToList();
                    db.AddRange(messages);
                    await db.SaveChangesAsync();
                    Interlocked.Add(ref written, messages.Count);
                    if (leased)
                    {
                        // The delete does not follow the order of the inserts.
                        await store.DeleteAsync(
                            new LeasedMessages([.. messages.Select(m => m.Id).OrderBy(_ => Random.Shared.Next())], relay, []),
                            CancellationToken.None
                        );
                        Interlocked.Add(ref deleted, messages.Count);
                    }
                }
            });
        var sweepers = Enumerable
            .Range(0, 3)
            .Select(async sweeper =>
            {
                while (!end.IsCancellationRequested)
                {
                    var claim = await store.ClaimWaitingAsync(200, null, CancellationToken.None);
                    var abandoned = await store.ClaimAbandonedAsync(200, Guid.Empty, CancellationToken.None);
                    abandoned.Messages.ShouldBeEmpty();
                    var claimed = new LeasedMessages([.. claim.Messages.Select(m => m.Id)], relay, [claim.Until]);
                    await (
                        claim.Messages.Count == 0 ? Task.CompletedTask
                        : sweeper == 0 ? store.ReleaseAsync(claimed, CancellationToken.None)
                        : store.DeleteAsync(claimed, CancellationToken.None)
                    );
                    Interlocked.Add(ref deleted, sweeper == 0 ? 0 : claim.Messages.Count);
                }
            });

        // A deadlock would end one of them.
        await Task.WhenAll(writers.Concat(sweepers));

        written.ShouldBeGreaterThan(100);
        await using var look = Shop.CreateContext(database!.ConnectionString);
        (await look.Outbox.CountAsync()).ShouldBe(written - deleted);
    }

    private async Task FillAsync(int count, string owner, string dueInSeconds, string error)
    {
        await using var db = Shop.CreateContext(database!.ConnectionString);
        db.Database.SetCommandTimeout(TimeSpan.FromMinutes(2));
        await db.Database.ExecuteSqlRawAsync(ShopDatabase.Fill(count, owner, dueInSeconds, error));
    }

    private async Task<(IReadOnlyList<OutboxMessage> Claimed, long Reads)> ReadsOfAsync(Func<Task<OutboxClaim>> claim)
    {
        var before = await ShopDatabase.CountReadsAsync(session!);
        var messages = (await claim()).Messages;
        return (messages, await ShopDatabase.CountReadsAsync(session!) - before);
    }
}

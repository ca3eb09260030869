using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Http;
using Platform.Outbox;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>What was set aside: messages that no consumer could read, and messages that nothing can send.</summary>
internal sealed record Faults(IReadOnlyList<PoisonFigure> Poison, IReadOnlyList<UnsentFigure> Unsent);

/// <summary>A message that no consumer could read.</summary>
internal sealed record PoisonFigure(long Id, string Queue, string? MessageId, string Error, DateTime CreatedAt);

/// <summary>A message of the outbox that nothing can send.</summary>
internal sealed record UnsentFigure(Guid Id, string Destination, string? RoutingKey, string Error)
{
    /// <summary>When it was published (UTC).</summary>
    public DateTime PublishedAt => OutboxMetrics.PublishedAt(Id).UtcDateTime;
}

/// <summary>Reads what was set aside, the newest first.</summary>
internal sealed record FaultsQuery : ILiveQuery<Faults>
{
    /// <summary>The most messages of each sort that are shown.</summary>
    public const int Max = 100;

    public async Task<Faults> ReadAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        var poison = await db
            .PoisonMessages.OrderByDescending(m => m.Id)
            .Take(Max)
            .Select(m => new PoisonFigure(m.Id, m.Queue, m.MessageId, m.Error, m.CreatedAt))
            .ToListAsync(cancellationToken);
        var unsent = await db.Set<OutboxMessage>()
            .Where(m => m.Error != null)
            .OrderByDescending(m => m.Id)
            .Take(Max)
            .Select(m => new UnsentFigure(m.Id, m.DestinationAddress, m.RoutingKey, m.Error!))
            .ToListAsync(cancellationToken);
        return new Faults(poison, unsent);
    }
}

/// <summary>What can be done with what was set aside. Each action asks by itself whether the client may, and is recorded.</summary>
internal sealed class FaultActions(Viewer viewer, IServiceScopeFactory scopes)
{
    // Longer bodies are cut: people look at the beginning.
    private const int MaxShown = 16 * 1024;

    /// <summary>The body of a message that no consumer could read, as text; null when it is gone.</summary>
    public async Task<string?> LookInsideAsync(long id)
    {
        byte[]? body = null;
        await DoAsync(
            "ReadPoisonMessage",
            $"{id}",
            async db =>
            {
                body = await db.PoisonMessages.Where(m => m.Id == id).Select(m => m.Body).SingleOrDefaultAsync();
                return body is null ? 0 : 1;
            }
        );
        return body is null ? null : Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, MaxShown)));
    }

    /// <summary>Deletes a message that no consumer could read.</summary>
    public Task DiscardPoisonAsync(long id) =>
        DoAsync("DiscardPoisonMessage", $"{id}", db => db.PoisonMessages.Where(m => m.Id == id).ExecuteDeleteAsync());

    /// <summary>Lets the outbox send a message again.</summary>
    public Task SendAgainAsync(Guid id) =>
        DoAsync(
            "SendOutboxMessageAgain",
            $"{id}",
            db =>
                db.Set<OutboxMessage>()
                    .Where(m => m.Id == id && m.Error != null)
                    .ExecuteUpdateAsync(set =>
                        set.SetProperty(m => m.Error, (string?)null).SetProperty(m => m.DueAt, _ => DatabaseClock.UtcNow())
                    )
        );

    /// <summary>Deletes a message that nothing can send.</summary>
    public Task DiscardUnsentAsync(Guid id) =>
        DoAsync(
            "DiscardOutboxMessage",
            $"{id}",
            db => db.Set<OutboxMessage>().Where(m => m.Id == id && m.Error != null).ExecuteDeleteAsync()
        );

    private async Task DoAsync(string name, string target, Func<DbContext, Task<int>> action)
    {
        // Messages belong to no tenant, so a client of one has nothing to do here.
        var actor = await viewer.DemandAsync(HeavyTaskPolicies.OperateSystem, name, target);
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        await using var transaction = await db.Database.BeginTransactionAsync();
        db.Record(actor, target, await action(db) > 0 ? AuditOutcome.Done : AuditOutcome.NotFound);
        await db.SaveChangesAsync();
        await transaction.CommitAsync();
    }
}

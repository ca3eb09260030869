using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>One page of who did what, newest first.</summary>
internal sealed record AuditList(IReadOnlyList<AuditEntry> Rows, bool HasMore);

/// <summary>Reads one page of who did what.</summary>
/// <param name="Before">The page begins after this entry; null for the newest.</param>
internal sealed record AuditQuery(Guid? Before) : ILiveQuery<AuditList>
{
    private const int Size = 50;

    public async Task<AuditList> ReadAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var entries = scope.GetRequiredService<EngineContext>().Db.AuditEntries.AsNoTracking();
        entries = Before is { } before ? entries.Where(e => e.Id < before) : entries;
        var rows = await entries.OrderByDescending(e => e.Id).Take(Size + 1).ToListAsync(cancellationToken);
        return new AuditList([.. rows.Take(Size)], rows.Count > Size);
    }
}

using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>How many tasks of each kind wait, run and have failed.</summary>
/// <param name="Kinds">The kinds, by name; for a tenant one entry for all kinds together, without a name.</param>
/// <param name="Now">The time on the database's clock (UTC).</param>
internal sealed record KindFigures(IReadOnlyList<KindFigure> Kinds, DateTime Now)
{
    /// <summary>Counts end here: to count on would cost more than anybody wants to know.</summary>
    public const int MaxCount = 10_000;

    /// <summary>The most kinds that are shown.</summary>
    public const int MaxKinds = 100;
}

/// <summary>The tasks of one kind. A count above <see cref="KindFigures.MaxCount"/> means at least that many.</summary>
/// <param name="Kind">The name of the kind; empty for all kinds.</param>
/// <param name="Description">What its tasks do.</param>
/// <param name="Scheduled">Tasks that wait for a time.</param>
/// <param name="Queued">Tasks that wait for a worker.</param>
/// <param name="Running">Tasks that run.</param>
/// <param name="Failed">Tasks that were given up and are still kept.</param>
/// <param name="PausedAt">Since when the kind is paused (UTC); null when it is not.</param>
/// <param name="Slots">How many tasks of it each worker runs at once at most, as somebody set it; null: as configured.</param>
/// <param name="OldestQueuedAt">When the task that was submitted first, of those that wait for a worker, was queued (UTC).</param>
internal sealed record KindFigure(
    string Kind,
    string Description,
    long Scheduled,
    long Queued,
    long Running,
    long Failed,
    DateTime? PausedAt,
    int? Slots,
    DateTime? OldestQueuedAt
);

/// <summary>Reads the figures of all kinds, or of a tenant's tasks, with bounded counts on the indexes of kind or tenant, status and id.</summary>
/// <param name="TenantId">The tenant; empty for all tasks.</param>
internal sealed record KindFiguresQuery(string TenantId) : ILiveQuery<KindFigures>
{
    private static readonly HeavyTaskStatus[] Counted =
    [
        HeavyTaskStatus.Scheduled,
        HeavyTaskStatus.Queued,
        HeavyTaskStatus.Running,
        HeavyTaskStatus.Failed,
    ];

    public async Task<KindFigures> ReadAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var db = scope.GetRequiredService<EngineContext>().Db;
        var kinds =
            TenantId == Tenants.None
                ? await db
                    .AnnouncedKinds.AsNoTracking()
                    .OrderBy(k => k.Name)
                    .Take(KindFigures.MaxKinds)
                    .Select(k => new KindRow(k.Name, k.Description, k.PausedAt, k.Slots))
                    .ToListAsync(cancellationToken)
                : [new("", "All kinds", null, null)];
        var now = await Dialect.Current.ReadClockAsync(db, cancellationToken);
        if (kinds.Count == 0)
        {
            return new KindFigures([], now);
        }

        object[] values = TenantId == Tenants.None ? [.. kinds.Select(k => k.Name)] : [TenantId];
        var rows = await db.Database.SqlQueryRaw<Row>(Statement(db, values.Length), values).ToListAsync(cancellationToken);
        return new KindFigures([.. kinds.Select((kind, number) => FigureOf(kind, [.. rows.Where(r => r.Number == number)]))], now);
    }

    private static KindFigure FigureOf(KindRow kind, List<Row> rows)
    {
        long CountOf(HeavyTaskStatus status) => rows.FirstOrDefault(r => r.Status == $"{status}")?.Total ?? 0;
        return new KindFigure(
            kind.Name,
            kind.Description,
            CountOf(HeavyTaskStatus.Scheduled),
            CountOf(HeavyTaskStatus.Queued),
            CountOf(HeavyTaskStatus.Running),
            CountOf(HeavyTaskStatus.Failed),
            kind.PausedAt,
            kind.Slots,
            rows.FirstOrDefault(r => r.Status == nameof(HeavyTaskStatus.Queued))?.Oldest is { } oldest
                ? DateTime.SpecifyKind(oldest, DateTimeKind.Utc)
                : null
        );
    }

    // One statement for everything. Each count reads its part of an index and stops at the limit.
    private string Statement(DbContext db, int count)
    {
        var tasks = EngineTables.Of(db).Tasks;
        var column = TenantId == Tenants.None ? "kind" : "tenant_id";
        var sql = db.GetService<ISqlGenerationHelper>();
        var (number, status, total, oldest) = (
            sql.DelimitIdentifier(nameof(Row.Number)),
            sql.DelimitIdentifier(nameof(Row.Status)),
            sql.DelimitIdentifier(nameof(Row.Total)),
            sql.DelimitIdentifier(nameof(Row.Oldest))
        );
        var text = new StringBuilder();
        for (var i = 0; i < count; i++)
        {
            foreach (var counted in Counted)
            {
                var which = string.Create(CultureInfo.InvariantCulture, $"FROM {tasks} WHERE {column} = {{{i}}} AND status = '{counted}'");
                var first = counted == HeavyTaskStatus.Queued ? $"(SELECT queued_at {which} ORDER BY id LIMIT 1)" : "NULL";
                text.Append(text.Length == 0 ? "" : " UNION ALL ")
                    .Append(
                        CultureInfo.InvariantCulture,
                        $"SELECT {i} AS {number}, '{counted}' AS {status}, (SELECT COUNT(*) FROM (SELECT 1 {which} LIMIT {KindFigures.MaxCount + 1}) c) AS {total}, {Time(first)} AS {oldest}"
                    );
            }
        }

        return text.ToString();
    }

    // A bare NULL has no type on PostgreSQL, and the columns of a union must agree.
    private static string Time(string expression) =>
        Dialect.Current.HasSchemas ? $"CAST({expression} AS timestamp with time zone)" : expression;

    private sealed record KindRow(string Name, string Description, DateTime? PausedAt, int? Slots);

    private sealed class Row
    {
        public int Number { get; init; }

        public string Status { get; init; } = "";

        public long Total { get; init; }

        public DateTime? Oldest { get; init; }
    }
}

using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>
/// Announces the kinds of this worker in <c>heavy_task_kinds</c>: at its start, before it is ready, and once a day. So the API accepts a kind
/// that it was not built with. A failure never stops the worker: the next round, a minute later, tries again.
/// </summary>
/// <remarks>
/// Workers of two versions may run beside each other for as long as somebody likes. The one that starts last replaces what differs. The
/// daily round only confirms what is there, so that the older worker does not take back what the newer one announced.
/// </remarks>
internal sealed partial class KindAnnouncer(
    HandledKinds kinds,
    InstanceIdentity instance,
    IServiceScopeFactory scopes,
    TimeProvider time,
    ILogger<KindAnnouncer> logger
) : PollingLoop(TimeSpan.FromMinutes(1), time, logger)
{
    /// <summary>How long a kind that nobody announces any more stays in the table: 30 days.</summary>
    public static readonly TimeSpan Retention = TimeSpan.FromDays(30);

    /// <summary>How often a worker confirms what it announced.</summary>
    public static readonly TimeSpan ConfirmInterval = TimeSpan.FromDays(1);

    // A little less than a day, so that a worker's own row is not fresh when its next day begins.
    private static readonly TimeSpan Fresh = TimeSpan.FromHours(23);

    // Whoever announced it would have confirmed it by now.
    private static readonly TimeSpan Abandoned = 2 * ConfirmInterval;

    private long? announcedAt;

    /// <summary>Announces, and goes on when that failed.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await TryRoundAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    protected override async Task RunRoundAsync(CancellationToken stoppingToken)
    {
        if (announcedAt is { } last && Time.GetElapsedTime(last) < ConfirmInterval)
        {
            return;
        }

        await AnnounceAsync(isStart: announcedAt is null, stoppingToken);
        announcedAt = Time.GetTimestamp();
    }

    /// <summary>Writes the rows that are missing, old or, if it is allowed to, different.</summary>
    internal async Task AnnounceAsync(bool isStart, CancellationToken cancellationToken)
    {
        var own = Describe();
        if (own.Count == 0)
        {
            return;
        }

        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
        var names = own.Select(kind => kind.Name).ToList();
        var now = await Dialect.Current.ReadClockAsync(db, cancellationToken);
        var rows = await db
            .AnnouncedKinds.AsNoTracking()
            .Where(kind => names.Contains(kind.Name))
            .ToDictionaryAsync(kind => kind.Name, StringComparer.Ordinal, cancellationToken);
        foreach (var kind in own)
        {
            if (rows.GetValueOrDefault(kind.Name) is { } row && !IsDue(kind, row, now - row.AnnouncedAt, isStart))
            {
                continue;
            }

            var statement = Dialect.Current.AnnounceKind(EngineTables.Of(db));
            await Deadlocks.RetryAsync(
                () =>
                    db.Database.ExecuteSqlRawAsync(
                        statement,
                        [kind.Name, kind.Description, kind.ParametersSchema, instance.Service],
                        cancellationToken
                    ),
                Time,
                cancellationToken
            );
            Announced(logger, kind.Name);
        }
    }

    private static bool IsDue(AnnouncedKind own, AnnouncedKind row, TimeSpan age, bool isStart)
    {
        var isSame = row.Description == own.Description && row.ParametersSchema == own.ParametersSchema;
        return isSame ? age >= Fresh : isStart || age >= Abandoned;
    }

    private List<AnnouncedKind> Describe()
    {
        var described = new List<AnnouncedKind>();
        foreach (var kind in kinds.All.OrderBy(kind => kind.Name, StringComparer.Ordinal))
        {
            try
            {
                described.Add(
                    new AnnouncedKind
                    {
                        Name = kind.Name,
                        Description = kind.Description,
                        ParametersSchema = ParameterSchema.Of(kind.ParametersType).ToJsonString(),
                    }
                );
            }
            catch (Exception exception)
            {
                // One record that has no schema keeps no other kind from being announced.
                NotDescribed(logger, kind.Name, exception);
            }
        }

        return described;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Kind {Kind} is announced.")]
    private static partial void Announced(ILogger logger, string kind);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Kind {Kind} is not announced: its parameters have no JSON schema.")]
    private static partial void NotDescribed(ILogger logger, string kind, Exception exception);
}

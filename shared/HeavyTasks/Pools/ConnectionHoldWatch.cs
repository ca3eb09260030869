using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Warns, once for each, of connections that are held while nothing runs on them for longer than
/// <see cref="DatabaseOptions.IdleConnectionLimit"/>. This process knows at no cost how long a connection has been held. Only for those
/// held longer than the limit does it ask the server whether a statement runs, because the server also knows of the driver's own commands,
/// of copies and of readers.
/// </summary>
internal sealed partial class ConnectionHoldWatch(
    ConnectionHolders holders,
    ServerSessions sessions,
    IOptions<DatabaseOptions> options,
    TimeProvider time,
    ILogger<ConnectionHoldWatch> logger
) : PollingLoop(Standstills.Interval, time, logger)
{
    private const string Asked = "The server says so.";

    private const string NotAsked =
        "The server could not be asked; this process sees only statements of Entity Framework, and commands of the driver's own may run.";

    private readonly Standstills standstills = new(time);
    private readonly TimeSpan limit = options.Value.IdleConnectionLimit;

    /// <inheritdoc />
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        limit == TimeSpan.Zero ? Task.CompletedTask : base.ExecuteAsync(stoppingToken);

    /// <inheritdoc />
    protected override Task RunRoundAsync(CancellationToken stoppingToken) => LookAsync(stoppingToken);

    /// <summary>Checks the connections now.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var now = standstills.Look();
        var due = holders.All.Where(h => h.NextLook is { } next ? next <= now : standstills.Elapsed(h.Since, now) >= limit).ToArray();
        if (due.Length == 0)
        {
            return;
        }

        var idle = await AskAsync(due, cancellationToken);
        now = standstills.Look();
        var stillHeld = holders.All.ToHashSet();
        foreach (var held in due.Where(stillHeld.Contains))
        {
            Judge(held, now, idle);
        }
    }

    private async Task<IReadOnlyDictionary<long, TimeSpan?>> AskAsync(HeldConnection[] due, CancellationToken cancellationToken)
    {
        try
        {
            return await sessions.FindIdleAsync([.. due.Select(h => h.Session).Where(id => id != 0)], cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            AskFailed(logger, exception);
            return new Dictionary<long, TimeSpan?>();
        }
    }

    private void Judge(HeldConnection held, long now, IReadOnlyDictionary<long, TimeSpan?> idle)
    {
        var known = idle.TryGetValue(held.Session, out var idleFor);

        // The server counts a connection as idle from its last statement, which may be that of an earlier holder.
        var idleSince =
            !known ? held.SeenIdleSince
            : idleFor is { } length ? Math.Max(held.Since, now - Ticks(length))
            : null;
        var counted = idleSince is { } since ? standstills.Elapsed(since, now) : TimeSpan.Zero;
        var isTooLong = counted >= limit;
        held.Found(idleSince, isTooLong);
        held.NextLook = now + Ticks(isTooLong ? limit : limit - counted);
        if (isTooLong && !held.IsLogged)
        {
            held.IsLogged = true;
            Log(ConnectionHolder.Of(held, Time), known ? Asked : NotAsked);
        }
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * Time.TimestampFrequency);

    private void Log(ConnectionHolder holder, string evidence)
    {
        var (held, idle) = (holder.HeldSeconds, holder.IdleSeconds ?? 0);
        if (holder.TaskId is { } taskId)
        {
            TaskHoldsIdle(logger, taskId, holder.Kind, holder.Attempt, Ended(" (ended)"), held, idle, limit.TotalSeconds, evidence);
        }
        else if (holder.Route is { } route)
        {
            RequestHoldsIdle(logger, route, Ended(" (answered)"), held, idle, limit.TotalSeconds, evidence);
        }
        else
        {
            OtherHoldsIdle(logger, holder.Name ?? "Work without a name", held, idle, limit.TotalSeconds, evidence);
        }

        string Ended(string how) => holder.HasEnded ? how : "";
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Task {TaskId} ({Kind}), attempt {Attempt}{Ended}, has held a connection of the pool for {Held} s, and nothing has run on it for {Idle} s (Database:IdleConnectionLimit is {Limit} s). {Evidence}"
    )]
    private static partial void TaskHoldsIdle(
        ILogger logger,
        Guid taskId,
        string? kind,
        int? attempt,
        string ended,
        double held,
        double idle,
        double limit,
        string evidence
    );

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Request {Route}{Ended} has held a connection of the pool for {Held} s, and nothing has run on it for {Idle} s (Database:IdleConnectionLimit is {Limit} s). {Evidence}"
    )]
    private static partial void RequestHoldsIdle(
        ILogger logger,
        string route,
        string ended,
        double held,
        double idle,
        double limit,
        string evidence
    );

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Name} has held a connection of the pool for {Held} s, and nothing has run on it for {Idle} s (Database:IdleConnectionLimit is {Limit} s). {Evidence}"
    )]
    private static partial void OtherHoldsIdle(ILogger logger, string name, double held, double idle, double limit, string evidence);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The server could not be asked what runs on connections that are held for long.")]
    private static partial void AskFailed(ILogger logger, Exception exception);
}

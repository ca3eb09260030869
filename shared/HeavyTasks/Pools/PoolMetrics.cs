using System.Data.Common;
using System.Diagnostics.Metrics;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Platform.HeavyTasks;

/// <summary>
/// The meter <c>Platform.Pool</c>: the pool of this service, and how long callers waited for a connection of it. The service name of the
/// resource tells services apart.
/// </summary>
internal sealed class PoolMetrics : DbConnectionInterceptor
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Platform.Pool";

    private readonly Histogram<double> wait;

    /// <summary>For dependency injection.</summary>
    public PoolMetrics(IMeterFactory meters, DatabasePool pool, ConnectionHolders holders)
    {
        ArgumentNullException.ThrowIfNull(meters);
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(holders);
        var meter = meters.Create(MeterName);
        wait = meter.CreateHistogram<double>("platform.pool.wait", "s", "Time from the request for a connection until it is open.");
        meter.CreateObservableUpDownCounter(
            "platform.pool.max",
            () => pool.Max,
            "{connection}",
            "Largest number of connections the pool opens."
        );
        meter.CreateObservableUpDownCounter("platform.pool.in_use", () => pool.Read().InUse, "{connection}", "Connections in use.");
        meter.CreateObservableUpDownCounter("platform.pool.idle", () => pool.Read().Idle, "{connection}", "Open connections not in use.");
        meter.CreateObservableUpDownCounter(
            "platform.pool.waiting",
            () => pool.Read().Waiting,
            "{caller}",
            "Callers that wait for a connection."
        );
        meter.CreateObservableGauge(
            "platform.pool.held_longest",
            () => holders.All.Select(h => holders.Held(h).TotalSeconds).DefaultIfEmpty().Max(),
            "s",
            "How long the longest holder has held its connection."
        );
        meter.CreateObservableUpDownCounter(
            "platform.pool.held_idle",
            () => holders.All.Count(h => h.IsIdleTooLong),
            "{connection}",
            "Connections that are held while nothing has run on them for longer than Database:IdleConnectionLimit."
        );
    }

    /// <inheritdoc />
    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Record(eventData);

    /// <inheritdoc />
    public override Task ConnectionOpenedAsync(
        DbConnection connection,
        ConnectionEndEventData eventData,
        CancellationToken cancellationToken = default
    )
    {
        Record(eventData);
        return Task.CompletedTask;
    }

    private void Record(ConnectionEndEventData eventData)
    {
        ArgumentNullException.ThrowIfNull(eventData);
        wait.Record(eventData.Duration.TotalSeconds);
    }
}

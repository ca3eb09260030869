using System.Diagnostics.Metrics;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Platform.HeavyTasks;

/// <summary>What the pool of this process holds now, as Npgsql's own meter tells it.</summary>
internal sealed class DatabasePool : IDisposable
{
    private readonly MeterListener listener = new();
    private readonly Lock gate = new();
    private readonly string name;
    private int inUse;
    private int idle;
    private int waiting;

    /// <summary>For dependency injection.</summary>
    public DatabasePool(NpgsqlDataSource dataSource, IOptions<DatabaseOptions> options)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        ArgumentNullException.ThrowIfNull(options);
        Max = options.Value.MaxPoolSize;
        name = new NpgsqlConnectionStringBuilder(dataSource.ConnectionString).ApplicationName ?? "";
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (
                instrument is
                {
                    Meter.Name: "Npgsql",
                    Name: "db.client.connection.count"
                        or "db.client.connection.npgsql.pending_requests"
                        or "db.client.connection.pending_requests"
                }
            )
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument.Name, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument.Name, (int)value, tags));
        listener.Start();
    }

    /// <summary>Largest number of connections the pool opens.</summary>
    public int Max { get; }

    /// <summary>Reads the pool: connections in use, open but idle, and callers that wait for one.</summary>
    public (int InUse, int Idle, int Waiting) Read()
    {
        lock (gate)
        {
            inUse = idle = waiting = 0;
            listener.RecordObservableInstruments();
            return (inUse, idle, waiting);
        }
    }

    /// <inheritdoc />
    public void Dispose() => listener.Dispose();

    private void Record(string instrument, int value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string? pool = null;
        string? state = null;
        foreach (var (key, tag) in tags)
        {
            if (key == "db.client.connection.pool.name")
            {
                pool = tag as string;
            }
            else if (key == "db.client.connection.state")
            {
                state = tag as string;
            }
        }

        if (pool != name)
        {
            return;
        }

        if (state == "used")
        {
            inUse = value;
        }
        else if (state == "idle")
        {
            idle = value;
        }
        else
        {
            waiting = value;
        }
    }
}

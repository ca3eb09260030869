using System.Diagnostics.Metrics;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>What the pool of this process holds now, added up from what MySqlConnector's own meter tells since the start.</summary>
internal sealed class DatabasePool : IDisposable
{
    private const string Usage = "db.client.connections.usage";
    private const string Pending = "db.client.connections.pending_requests";

    private readonly MeterListener listener = new();
    private readonly string name;
    private int inUse;
    private int idle;
    private int waiting;

    /// <summary>For dependency injection.</summary>
    public DatabasePool(InstanceIdentity instance, IOptions<DatabaseOptions> options)
    {
        ArgumentNullException.ThrowIfNull(instance);
        ArgumentNullException.ThrowIfNull(options);
        Max = options.Value.MaxPoolSize;
        name = instance.Service;
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument is { Meter.Name: DatabaseProvider.TelemetryName, Name: Usage or Pending })
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((instrument, change, tags, _) => Record(instrument.Name, change, tags));
        listener.Start();
    }

    /// <summary>Largest number of connections the pool opens.</summary>
    public int Max { get; }

    /// <summary>Reads the pool: connections in use, open but idle, and callers that wait for one.</summary>
    public (int InUse, int Idle, int Waiting) Read() => (Now(ref inUse), Now(ref idle), Now(ref waiting));

    /// <inheritdoc />
    public void Dispose() => listener.Dispose();

    // The two halves of a change of state come one after the other, and in between the sum may be below zero.
    private static int Now(ref int count) => Math.Max(0, Volatile.Read(ref count));

    private void Record(string instrument, int change, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string? pool = null;
        string? state = null;
        foreach (var (key, tag) in tags)
        {
            if (key == "pool.name")
            {
                pool = tag as string;
            }
            else if (key == "state")
            {
                state = tag as string;
            }
        }

        if (pool != name)
        {
            return;
        }

        if (instrument == Pending)
        {
            Interlocked.Add(ref waiting, change);
        }
        else if (state == "used")
        {
            Interlocked.Add(ref inUse, change);
        }
        else
        {
            Interlocked.Add(ref idle, change);
        }
    }
}

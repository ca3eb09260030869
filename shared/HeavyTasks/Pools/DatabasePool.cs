using System.Diagnostics.Metrics;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// What the pool of this process holds now, as the driver's own meter reports it. It is created before the pool, because some instruments
/// report only changes, which must be added up from the first connection on.
/// </summary>
internal sealed class DatabasePool : IDisposable
{
    private readonly PoolInstruments instruments = Dialect.Current.Pool;
    private readonly MeterListener listener = new();
    private readonly Lock gate = new();
    private readonly string name;
    private long used;
    private long idle;
    private long waiting;

    /// <summary>For dependency injection.</summary>
    public DatabasePool(InstanceIdentity instance, IOptions<DatabaseOptions> options)
    {
        ArgumentNullException.ThrowIfNull(instance);
        ArgumentNullException.ThrowIfNull(options);
        Max = options.Value.MaxPoolSize;
        name = instance.Service;
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == instruments.Meter && (instrument.Name == instruments.Connections || IsWaiting(instrument)))
            {
                l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        listener.Start();
    }

    /// <summary>The most connections that the pool opens.</summary>
    public int Max { get; }

    /// <summary>Reads the pool: connections in use, connections open but idle, and callers that wait for one.</summary>
    public (int InUse, int Idle, int Waiting) Read()
    {
        lock (gate)
        {
            listener.RecordObservableInstruments();
            return (Now(ref used), Now(ref idle), Now(ref waiting));
        }
    }

    /// <inheritdoc />
    public void Dispose() => listener.Dispose();

    // A change of state is reported as two changes, one after the other, and between them the sum may be below zero.
    private static int Now(ref long count) => (int)Math.Max(0, Volatile.Read(ref count));

    private bool IsWaiting(Instrument instrument) => instruments.Waiting.Contains(instrument.Name);

    private void Record(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string? pool = null;
        string? state = null;
        foreach (var (key, tag) in tags)
        {
            if (key == instruments.PoolTag)
            {
                pool = tag as string;
            }
            else if (key == instruments.StateTag)
            {
                state = tag as string;
            }
        }

        if (pool != name)
        {
            return;
        }

        if (IsWaiting(instrument))
        {
            Count(instrument, ref waiting, value);
        }
        else if (state == "used")
        {
            Count(instrument, ref used, value);
        }
        else if (state == "idle")
        {
            Count(instrument, ref idle, value);
        }
    }

    private static void Count(Instrument instrument, ref long count, long value)
    {
        if (instrument.IsObservable)
        {
            Volatile.Write(ref count, value);
        }
        else
        {
            Interlocked.Add(ref count, value);
        }
    }
}

using System.Diagnostics.Metrics;

namespace Platform.Outbox;

/// <summary>
/// The meter <c>Platform.Outbox</c>: how long messages wait for the broker, and how many it refuses. Names follow OpenTelemetry's
/// conventions.
/// </summary>
internal sealed class OutboxMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Platform.Outbox";

    private readonly Meter meter = new(MeterName);
    private readonly Histogram<double> lag;
    private readonly Counter<long> refused;

    public OutboxMetrics()
    {
        lag = meter.CreateHistogram<double>("platform.outbox.lag", "s", "Time from Publish to the broker's confirm.");
        refused = meter.CreateCounter<long>(
            "platform.outbox.refused",
            "{message}",
            "Messages that the broker refused, or that nothing can send."
        );
    }

    public void Sent(IEnumerable<Delivery> deliveries, DateTimeOffset now)
    {
        if (!lag.Enabled && !refused.Enabled)
        {
            return;
        }

        foreach (var delivery in deliveries)
        {
            if (delivery.Outcome == DeliveryOutcome.Confirmed)
            {
                lag.Record(Math.Max(0, (now - PublishedAt(delivery.Message.Id)).TotalSeconds));
            }
            else if (delivery.Outcome is DeliveryOutcome.Refused or DeliveryOutcome.Unsendable)
            {
                refused.Add(1);
            }
        }
    }

    public void Dispose() => meter.Dispose();

    // The first 48 bits of a version 7 id: milliseconds since 1970 (RFC 9562, 5.7).
    internal static DateTimeOffset PublishedAt(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return DateTimeOffset.FromUnixTimeMilliseconds(System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(bytes) >> 16);
    }
}

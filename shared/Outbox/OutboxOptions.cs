using System.ComponentModel.DataAnnotations;

namespace Platform.Outbox;

/// <summary>How the relay of this process sends committed messages. Section <c>Outbox</c>.</summary>
public sealed class OutboxOptions
{
    /// <summary>
    /// How many bytes of messages (bodies, plus 1 KiB for each message) may wait in memory between commit and broker; further messages are
    /// left to the sweeper. Default 64 MiB; range 1 KiB to 4 GiB.
    /// </summary>
    [Range(1024, 4L * 1024 * 1024 * 1024)]
    public long BufferLength { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// How many messages a sweep claims at once, and how many are published at once to one destination. One statement deletes the rows of
    /// up to five batches, 50 ms after the first confirm at the latest. Default 500: each claim is a transaction, so MariaDB spends a
    /// quarter less on a message than with 200 (docs/mysql.md). Range 1 to 1,000.
    /// </summary>
    [Range(1, 1_000)]
    public int BatchSize { get; set; } = 500;

    /// <summary>
    /// How often the sweeper looks for messages that a crash, a full buffer or an outage left behind. Default 1 s; range 100 ms to 1 min.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long the broker may take to confirm a batch. Default 10 s; range 1 s to 20 s, always shorter than the lease of 30 s, so that
    /// no other relay sends the same message meanwhile.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:00:20")]
    public TimeSpan PublishTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The largest serialized message, in bytes; Publish and Send refuse a larger one. Default 1 MiB; range 1 KiB to 64 MiB.
    /// </summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxMessageLength { get; set; } = 1024 * 1024;
}

namespace Platform.Outbox;

/// <summary>One message that waits for its transaction's commit and then for the broker's confirm. It is deleted once confirmed.</summary>
public class OutboxMessage
{
    /// <summary>The id of the row: a version 7 UUID, so rows sort by time.</summary>
    public Guid Id { get; init; }

    /// <summary>The message id that consumers see.</summary>
    public Guid? MessageId { get; init; }

    /// <summary>The correlation id that consumers see.</summary>
    public Guid? CorrelationId { get; init; }

    /// <summary>The address of the exchange or queue, as MassTransit wrote it.</summary>
    public string DestinationAddress { get; init; } = "";

    /// <summary>
    /// The routing key; null for none. Address and routing key together are the destination, because one queue may answer while another
    /// does not.
    /// </summary>
    public string? RoutingKey { get; init; }

    /// <summary>The media type of <see cref="Body"/>.</summary>
    public string ContentType { get; init; } = "";

    /// <summary>The serialized message with its envelope, sent unchanged.</summary>
    public byte[] Body { get; init; } = [];

    /// <summary>The message headers as JSON, including the trace context.</summary>
    public string? Headers { get; init; }

    /// <summary>The transport properties as JSON: routing key, priority, persistence.</summary>
    public string? Properties { get; init; }

    /// <summary>When the message expires (UTC); null for never.</summary>
    public DateTime? ExpiresAt { get; init; }

    /// <summary>
    /// The relay of the process that wrote the message, while that process has it in memory; null when it waits for a sweep.
    /// </summary>
    public Guid? LeaseOwner { get; internal set; }

    /// <summary>
    /// When a sweep may claim the message (UTC, the database's clock). A claim moves this time 30 s ahead, which is the lease; a failure
    /// moves it further. While there is a <see cref="LeaseOwner"/>, this is when its lease began. The database sets it on insert.
    /// </summary>
    public DateTime DueAt { get; init; }

    /// <summary>
    /// How often the message could not be sent. The pause before the next try doubles each time, from up to 30 s to 8 min. Of messages that
    /// failed together, one is tried sooner and tests the destination for the others.
    /// </summary>
    public int Failures { get; init; }

    /// <summary>
    /// Why the message was set aside: nothing can send it. The row stays until somebody deletes it, or clears this column and sets
    /// <see cref="DueAt"/> to now.
    /// </summary>
    public string? Error { get; init; }

    /// <summary>The values of <see cref="Headers"/>, while the message is in the memory of the process that wrote it.</summary>
    internal Dictionary<string, object>? HeaderValues { get; init; }

    /// <summary>The values of <see cref="Properties"/>, while the message is in the memory of the process that wrote it.</summary>
    internal Dictionary<string, object>? PropertyValues { get; init; }
}

namespace Platform.Outbox;

/// <summary>One message that waits for its transaction's commit and then for the broker's confirm. Deleted once confirmed.</summary>
public class OutboxMessage
{
    /// <summary>Version 7 UUID, so rows sort by time.</summary>
    public Guid Id { get; init; }

    /// <summary>The message id that consumers see.</summary>
    public Guid? MessageId { get; init; }

    /// <summary>The correlation id that consumers see.</summary>
    public Guid? CorrelationId { get; init; }

    /// <summary>Exchange or queue address, as MassTransit wrote it.</summary>
    public string DestinationAddress { get; init; } = "";

    /// <summary>Routing key; null for none. Address and routing key together are the destination: one may answer while another does not.</summary>
    public string? RoutingKey { get; init; }

    /// <summary>Media type of <see cref="Body"/>.</summary>
    public string ContentType { get; init; } = "";

    /// <summary>The serialized message with its envelope, sent as it stands.</summary>
    public byte[] Body { get; init; } = [];

    /// <summary>Message headers as JSON, trace context among them.</summary>
    public string? Headers { get; init; }

    /// <summary>Transport properties as JSON: routing key, priority, persistence.</summary>
    public string? Properties { get; init; }

    /// <summary>When the message is no longer of use (UTC); null for never.</summary>
    public DateTime? ExpiresAt { get; init; }

    /// <summary>The relay of the process that wrote it, while that has it in memory; null when it waits for a sweep.</summary>
    public Guid? LeaseOwner { get; internal set; }

    /// <summary>
    /// From when a sweep may claim it (UTC, the database's clock). A claim moves it 30 s ahead, which is its lease, and a failure further.
    /// With a <see cref="LeaseOwner"/>: when that one's lease began. Set by the database on insert.
    /// </summary>
    public DateTime DueAt { get; init; }

    /// <summary>
    /// How often it could not be sent. The pause before the next try doubles each time, from up to 30 s to 8 min; one of those that failed
    /// together comes sooner and finds out for the others.
    /// </summary>
    public int Failures { get; init; }

    /// <summary>
    /// Set aside, because nothing can send it: why. Such a row stays until somebody deletes it, or clears this column and sets
    /// <see cref="DueAt"/> to now.
    /// </summary>
    public string? Error { get; init; }

    /// <summary>What <see cref="Headers"/> says, while the message is in the memory of the process that wrote it.</summary>
    internal Dictionary<string, object>? HeaderValues { get; init; }

    /// <summary>What <see cref="Properties"/> says, while the message is in the memory of the process that wrote it.</summary>
    internal Dictionary<string, object>? PropertyValues { get; init; }
}

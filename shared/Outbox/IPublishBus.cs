using MassTransit;

namespace Platform.Outbox;

/// <summary>
/// A bus that only publishes, on a connection of its own: <c>AddMassTransit&lt;IPublishBus&gt;</c>. While an alarm lasts (memory, disk),
/// RabbitMQ stops reading from a connection that publishes, and acknowledgements on the same connection would have to wait.
/// </summary>
public interface IPublishBus : IBus;

/// <summary>
/// A bus for single messages to destinations that failed, on a connection of its own that it opens when there is such a message. A queue
/// that does not answer can block the channel that publishes to it, and a refusal closes the channel; on this bus neither affects other
/// destinations.
/// </summary>
public interface IProbeBus : IBus;

using MassTransit;

namespace Platform.Outbox;

/// <summary>
/// A bus that only publishes, on a connection of its own: <c>AddMassTransit&lt;IPublishBus&gt;</c>. RabbitMQ stops reading from a connection
/// that publishes while an alarm lasts (memory, disk), and acknowledgements on the same connection would wait with it.
/// </summary>
public interface IPublishBus : IBus;

/// <summary>
/// A bus for single messages to destinations that failed, on a connection of its own, which it opens when there is one. A queue that does
/// not answer can hold the channel that publishes to it, and a refusal closes it; this way neither meets other destinations.
/// </summary>
public interface IProbeBus : IBus;

using MassTransit;

namespace Platform.Outbox;

/// <summary>
/// A bus that only publishes, on a connection of its own: <c>AddMassTransit&lt;IPublishBus&gt;</c>. RabbitMQ stops reading from a connection
/// that publishes while an alarm lasts (memory, disk), and acknowledgements on the same connection would wait with it.
/// </summary>
public interface IPublishBus : IBus;

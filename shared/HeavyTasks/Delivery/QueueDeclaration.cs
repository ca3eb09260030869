using MassTransit;
using MassTransit.Middleware;
using MassTransit.RabbitMqTransport;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Platform.HeavyTasks;

/// <summary>
/// Declares the queue of a receive endpoint with the arguments that its broker supports: no delivery limit (RabbitMQ 4 drops a message
/// after 20 deliveries, and before 4.2 every return by a draining worker counts) and a week to acknowledge (from 3.12; older brokers take
/// this limit from their configuration). If the queue exists with other arguments, it is used as it is, so that an upgrade of the broker
/// never keeps a worker from starting. docs/operations.md describes how to replace such a queue.
/// </summary>
internal sealed partial class QueueDeclaration(ILogger<QueueDeclaration> logger) : IFilter<ChannelContext>
{
    private const string DeliveryLimit = "x-delivery-limit";
    private const string ConsumerTimeout = "x-consumer-timeout";
    private const int PreconditionFailed = 406;

    // This is as good as no limit. "None" (-1) cannot be used: RabbitMQ 4.0 and 4.1 take it for a change of the queue's settings at every
    // check, and write it to the queue's log each time (rabbitmq-server issue 14202).
    private const int Unlimited = int.MaxValue;

    // Longer than any task runs. The default of 30 min would close the channel while a longer task runs.
    private static readonly TimeSpan TimeToAcknowledge = TimeSpan.FromDays(7);

    public Task Send(ChannelContext context, IPipe<ChannelContext> next) => next.Send(new Declaring(context, logger));

    public void Probe(ProbeContext context) => context.CreateFilterScope("queueDeclaration");

    private static Dictionary<string, object?> Extend(IDictionary<string, object> arguments, IConnection connection)
    {
        var extended = arguments.ToDictionary(a => a.Key, a => (object?)a.Value);
        var version = VersionOf(connection);
        if (version >= new Version(3, 12))
        {
            extended[ConsumerTimeout] = (long)TimeToAcknowledge.TotalMilliseconds;
        }

        // Older brokers have no limit unless somebody sets one.
        if (version.Major >= 4)
        {
            extended[DeliveryLimit] = Unlimited;
        }

        return extended;
    }

    private static Version VersionOf(IConnection connection) =>
        connection.ServerProperties?.TryGetValue("version", out var value) == true
        && value is byte[] text
        && Version.TryParse(System.Text.Encoding.UTF8.GetString(text).Split('-', '+')[0], out var version)
            ? version
            : new Version(0, 0);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Queue {Queue} exists with other arguments ({Reason}) and is used as it is. docs/operations.md says how to replace it."
    )]
    private static partial void UsedAsItIs(ILogger logger, string queue, string? reason);

    /// <summary>The endpoint's channel, with a different way to declare queues.</summary>
    private sealed class Declaring(ChannelContext context, ILogger logger) : ProxyPipeContext(context), ChannelContext
    {
        public IChannel Channel => context.Channel;

        public ConnectionContext ConnectionContext => context.ConnectionContext;

        public async Task<QueueDeclareOk> QueueDeclare(
            string queue,
            bool durable,
            bool exclusive,
            bool autoDelete,
            IDictionary<string, object> arguments,
            CancellationToken cancellationToken
        )
        {
            // A refused declaration closes its channel, so this one does not use the endpoint's.
            await using (var channel = await ConnectionContext.CreateChannel(null, cancellationToken))
            {
                try
                {
                    return await channel.QueueDeclareAsync(
                        queue,
                        durable,
                        exclusive,
                        autoDelete,
                        Extend(arguments, ConnectionContext.Connection),
                        passive: false,
                        noWait: false,
                        cancellationToken
                    );
                }
                catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == PreconditionFailed)
                {
                    UsedAsItIs(logger, queue, exception.ShutdownReason.ReplyText);
                }
            }

            return await context.QueueDeclarePassive(queue, cancellationToken);
        }

        public Task BasicPublishAsync(
            string exchange,
            string routingKey,
            bool mandatory,
            BasicProperties basicProperties,
            byte[] body,
            bool awaitAck,
            CancellationToken cancellationToken
        ) => context.BasicPublishAsync(exchange, routingKey, mandatory, basicProperties, body, awaitAck, cancellationToken);

        public Task ExchangeBind(
            string destination,
            string source,
            string routingKey,
            IDictionary<string, object> arguments,
            CancellationToken cancellationToken
        ) => context.ExchangeBind(destination, source, routingKey, arguments, cancellationToken);

        public Task ExchangeDeclare(
            string exchange,
            string type,
            bool durable,
            bool autoDelete,
            IDictionary<string, object> arguments,
            CancellationToken cancellationToken
        ) => context.ExchangeDeclare(exchange, type, durable, autoDelete, arguments, cancellationToken);

        public Task ExchangeDeclarePassive(string exchange, CancellationToken cancellationToken) =>
            context.ExchangeDeclarePassive(exchange, cancellationToken);

        public Task QueueBind(
            string queue,
            string exchange,
            string routingKey,
            IDictionary<string, object> arguments,
            CancellationToken cancellationToken
        ) => context.QueueBind(queue, exchange, routingKey, arguments, cancellationToken);

        public Task<QueueDeclareOk> QueueDeclarePassive(string queue, CancellationToken cancellationToken) =>
            context.QueueDeclarePassive(queue, cancellationToken);

        public Task<uint> QueuePurge(string queue, CancellationToken cancellationToken) => context.QueuePurge(queue, cancellationToken);

        public Task BasicQos(uint prefetchSize, ushort prefetchCount, bool global, CancellationToken cancellationToken) =>
            context.BasicQos(prefetchSize, prefetchCount, global, cancellationToken);

        public ValueTask BasicAck(ulong deliveryTag, bool multiple, CancellationToken cancellationToken) =>
            context.BasicAck(deliveryTag, multiple, cancellationToken);

        public Task BasicNack(ulong deliveryTag, bool multiple, bool requeue, CancellationToken cancellationToken) =>
            context.BasicNack(deliveryTag, multiple, requeue, cancellationToken);

        public Task<string> BasicConsume(
            string queue,
            bool noAck,
            bool exclusive,
            IDictionary<string, object> arguments,
            IAsyncBasicConsumer consumer,
            string consumerTag,
            CancellationToken cancellationToken
        ) => context.BasicConsume(queue, noAck, exclusive, arguments, consumer, consumerTag, cancellationToken);

        public Task BasicCancel(string consumerTag, CancellationToken cancellationToken) =>
            context.BasicCancel(consumerTag, cancellationToken);

        public void NotifyFaulted(Exception exception, Uri inputAddress) => context.NotifyFaulted(exception, inputAddress);
    }
}

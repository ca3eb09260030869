using System.Net.Sockets;
using MassTransit;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace Platform.Outbox;

/// <summary>
/// The connection of a bus that publishes. The relay drops it when the broker no longer confirms on it, and the bus then connects again by
/// itself. Set <see cref="WatchAsync"/> as <c>OnRefreshConnectionFactory</c> of the bus's host.
/// </summary>
/// <remarks>
/// A quorum queue without a leader does not confirm what is published to it. When 32 messages of a channel wait for such a queue
/// (<c>quorum_commands_soft_limit</c>), the broker reads nothing more from the connection: one such queue would silence the publisher for
/// good. Dropping the connection also helps when a channel of the client never answers again.
/// </remarks>
/// <typeparam name="TBus">The bus.</typeparam>
public sealed class BusConnection<TBus>(ILogger<BusConnection<TBus>> logger)
    where TBus : IBus
{
    private readonly Lock gate = new();
    private ITcpClient? client;

    /// <summary>Observes each connection that the factory opens.</summary>
    public Task WatchAsync(ConnectionFactory factory)
    {
        ArgumentNullException.ThrowIfNull(factory);
        factory.SocketFactory = Open;
        return Task.CompletedTask;
    }

    /// <summary>Drops the connection, if one was opened. Everything that waits for a confirm on it fails at once.</summary>
    internal void Drop()
    {
        ITcpClient? dropped;
        lock (gate)
        {
            (dropped, client) = (client, null);
        }

        if (dropped is not null)
        {
            BusConnectionLog.Dropping(logger, typeof(TBus).Name);
            dropped.Dispose();
        }
    }

    private ITcpClient Open(AddressFamily family)
    {
        var opened = ConnectionFactoryBase.DefaultSocketFactory(family);
        lock (gate)
        {
            client = opened;
        }

        return opened;
    }
}

internal static partial class BusConnectionLog
{
    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The connection of {Bus} is dropped, because the broker does not confirm; the bus opens another one."
    )]
    public static partial void Dropping(ILogger logger, string bus);
}

using MassTransit;
using MassTransit.RabbitMqTransport;
using MassTransit.RabbitMqTransport.Configuration;
using MassTransit.Transports;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client.Exceptions;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>The queues of heavy tasks, as the broker knows them.</summary>
internal sealed record QueueFigures(IReadOnlyList<QueueFigure> Queues);

/// <summary>One queue.</summary>
/// <param name="Kind">The kind whose tasks it holds.</param>
/// <param name="Ready">Messages that no consumer has yet; null when there is no such queue.</param>
/// <param name="Consumers">Workers that read it.</param>
internal sealed record QueueFigure(string Kind, long? Ready, long Consumers);

/// <summary>
/// Asks the broker for its queues by passive declarations on a connection that the bus has anyway, so it needs neither the management plugin
/// nor another password.
/// </summary>
internal sealed class BrokerQueues(IEnumerable<IBusInstance> buses)
{
    /// <summary>Whether this application's bus is on RabbitMQ.</summary>
    public bool IsKnown => Host is not null;

    private IRabbitMqHostConfiguration? Host =>
        buses.FirstOrDefault(bus => bus.InstanceType == typeof(IBus))?.HostConfiguration as IRabbitMqHostConfiguration;

    /// <summary>Reads the queues of these kinds.</summary>
    public async Task<QueueFigures> ReadAsync(IReadOnlyList<string> kinds, CancellationToken cancellationToken)
    {
        var found = new List<QueueFigure>();
        if (Host is { } host)
        {
            await host.ConnectionContextSupervisor.Send(
                Pipe.ExecuteAsync<ConnectionContext>(async connection =>
                {
                    found.Clear();
                    foreach (var kind in kinds)
                    {
                        found.Add(await ReadAsync(connection, kind, cancellationToken));
                    }
                }),
                cancellationToken
            );
        }

        return new QueueFigures(found);
    }

    // A queue that is not there closes the channel.
    private static async Task<QueueFigure> ReadAsync(ConnectionContext connection, string kind, CancellationToken cancellationToken)
    {
        await using var channel = await connection.CreateChannel(null, cancellationToken);
        try
        {
            var queue = await channel.QueueDeclarePassiveAsync(HeavyTaskTopology.QueueName(kind), cancellationToken);
            return new QueueFigure(kind, queue.MessageCount, queue.ConsumerCount);
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == NotFound)
        {
            return new QueueFigure(kind, null, 0);
        }
    }

    private const int NotFound = 404;
}

/// <summary>Reads the queues of all kinds that workers announced.</summary>
internal sealed record QueueFiguresQuery : ILiveQuery<QueueFigures>
{
    public string Failure => "The broker does not answer.";

    public async Task<QueueFigures> ReadAsync(IServiceProvider scope, CancellationToken cancellationToken)
    {
        var kinds = await scope
            .GetRequiredService<EngineContext>()
            .Db.AnnouncedKinds.AsNoTracking()
            .OrderBy(k => k.Name)
            .Take(KindFigures.MaxKinds)
            .Select(k => k.Name)
            .ToListAsync(cancellationToken);
        return await scope.GetRequiredService<BrokerQueues>().ReadAsync(kinds, cancellationToken);
    }
}

using MassTransit;
using MassTransit.RabbitMqTransport;
using MassTransit.RabbitMqTransport.Configuration;
using MassTransit.Transports;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;
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
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // One that was given up, and one that is young.
    private const int MaxUnderWay = 2;

    private readonly Lock gate = new();
    private Task<QueueFigures>? looking;
    private int underWay;

    /// <summary>How long a look may take before another one begins in its place.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether this application's bus is on RabbitMQ.</summary>
    public bool IsKnown => Host is not null;

    private IRabbitMqHostConfiguration? Host =>
        buses.FirstOrDefault(bus => bus.InstanceType == typeof(IBus))?.HostConfiguration as IRabbitMqHostConfiguration;

    /// <summary>
    /// Reads the queues of these kinds. The bus takes a failure on its connection for a failure of the connection, and would open another one:
    /// so nothing fails within, and nobody gives up within. A look that the broker keeps waiting goes on, and there is no second one beside it
    /// until its time is over; then it asks for no more queues.
    /// </summary>
    public async Task<QueueFigures> ReadAsync(IReadOnlyList<string> kinds, CancellationToken cancellationToken)
    {
        if (Host is not { } host)
        {
            return new QueueFigures([]);
        }

        Task<QueueFigures> look;
        lock (gate)
        {
            if (looking is null || looking.IsCompleted)
            {
                if (underWay >= MaxUnderWay)
                {
                    throw new TimeoutException("The broker keeps earlier looks at its queues waiting.");
                }

                underWay++;
                looking = LookWithinLimitAsync(host, kinds);
            }

            look = looking;
        }

        // Shorter than other reads: while the broker is away, this one would keep its place among them.
        return await look.WaitAsync(Patience, cancellationToken);
    }

    private async Task<QueueFigures> LookWithinLimitAsync(IRabbitMqHostConfiguration host, IReadOnlyList<string> kinds)
    {
        // One clock for both: whoever is told that the time is over asks for nothing after that.
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            return await LookAsync(host, kinds, limit.Token).WaitAsync(limit.Token);
        }
        catch (OperationCanceledException exception) when (limit.IsCancellationRequested)
        {
            throw new TimeoutException("The broker did not answer in time.", exception);
        }
    }

    private async Task<QueueFigures> LookAsync(IRabbitMqHostConfiguration host, IReadOnlyList<string> kinds, CancellationToken limit)
    {
        try
        {
            var found = new List<QueueFigure>();
            Exception? failure = null;
            await host.ConnectionContextSupervisor.Send(
                Pipe.ExecuteAsync<ConnectionContext>(async connection =>
                {
                    try
                    {
                        await ReadAsync(connection, kinds, found, limit);
                    }
                    catch (Exception exception)
                    {
                        failure = exception;
                    }
                }),
                CancellationToken.None
            );
            return failure is null ? new QueueFigures(found) : throw new InvalidOperationException("The broker did not answer.", failure);
        }
        finally
        {
            lock (gate)
            {
                underWay--;
            }
        }
    }

    // A queue that is not there closes the channel, so the next one needs another. What was asked is waited for, as long as the client of the
    // broker waits: an answer that comes to nobody would end the channel.
    private static async Task ReadAsync(
        ConnectionContext connection,
        IReadOnlyList<string> kinds,
        List<QueueFigure> found,
        CancellationToken limit
    )
    {
        IChannel? channel = null;
        try
        {
            foreach (var kind in kinds)
            {
                limit.ThrowIfCancellationRequested();
                channel ??= await connection.CreateChannel(null, CancellationToken.None);
                try
                {
                    var queue = await channel.QueueDeclarePassiveAsync(HeavyTaskTopology.QueueName(kind), CancellationToken.None);
                    found.Add(new QueueFigure(kind, queue.MessageCount, queue.ConsumerCount));
                }
                catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == NotFound)
                {
                    found.Add(new QueueFigure(kind, null, 0));
                    await channel.DisposeAsync();
                    channel = null;
                }
            }
        }
        finally
        {
            if (channel is not null)
            {
                await channel.DisposeAsync();
            }
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

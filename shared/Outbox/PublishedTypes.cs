using System.Collections.Concurrent;
using MassTransit;

namespace Platform.Outbox;

/// <summary>
/// Finds the publish endpoints of the message types that this process publishes. A send to the bare address would reach the same exchange,
/// but only a publish endpoint declares the exchange as configured and binds it to the exchanges of the interfaces that the message
/// implements.
/// </summary>
internal sealed class PublishedTypes(IBus bus) : IPublishEndpointProvider
{
    private readonly ConcurrentDictionary<Type, bool> types = new();
    private readonly ConcurrentDictionary<string, Func<IBus, Task<ISendEndpoint>>> endpoints = new();

    public Task<ISendEndpoint> GetPublishSendEndpoint<T>()
        where T : class
    {
        if (types.TryAdd(typeof(T), true) && bus.Topology.TryGetPublishAddress<T>(out var address))
        {
            endpoints[address.ToString()] = sender => sender.GetPublishSendEndpoint<T>();
        }

        return bus.GetPublishSendEndpoint<T>();
    }

    /// <summary>The endpoint of a bus for an address as stored in a row.</summary>
    public Task<ISendEndpoint> GetEndpoint(IBus sender, string destinationAddress) =>
        endpoints.TryGetValue(destinationAddress, out var getEndpoint)
            ? getEndpoint(sender)
            : sender.GetSendEndpoint(new Uri(destinationAddress));

    public ConnectHandle ConnectPublishObserver(IPublishObserver observer) => bus.ConnectPublishObserver(observer);
}

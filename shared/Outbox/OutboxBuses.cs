using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.Outbox;

/// <summary>The buses that the relay sends with: its own buses if they are registered, otherwise the ordinary one.</summary>
internal sealed class OutboxBuses(IServiceProvider provider)
{
    public IBus Publish { get; } = provider.GetService<IPublishBus>() ?? provider.GetRequiredService<IBus>();

    public IBus Probe { get; } =
        provider.GetService<IProbeBus>() ?? (IBus?)provider.GetService<IPublishBus>() ?? provider.GetRequiredService<IBus>();

    /// <summary>The buses without repetition.</summary>
    public IEnumerable<IBus> Distinct => ReferenceEquals(Publish, Probe) ? [Publish] : [Publish, Probe];

    /// <summary>Drops the connection of <see cref="Publish"/>, if that is a bus of its own.</summary>
    public void DropPublish() => provider.GetRequiredService<BusConnection<IPublishBus>>().Drop();

    /// <summary>Drops the connection of <see cref="Probe"/>, if that is a bus of its own.</summary>
    public void DropProbe() => provider.GetRequiredService<BusConnection<IProbeBus>>().Drop();
}

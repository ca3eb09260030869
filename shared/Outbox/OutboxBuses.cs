using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.Outbox;

/// <summary>The buses that the relay sends with: those meant for it where there are such, and otherwise the ordinary one.</summary>
internal sealed class OutboxBuses(IServiceProvider provider)
{
    public IBus Publish { get; } = provider.GetService<IPublishBus>() ?? provider.GetRequiredService<IBus>();

    public IBus Probe { get; } =
        provider.GetService<IProbeBus>() ?? (IBus?)provider.GetService<IPublishBus>() ?? provider.GetRequiredService<IBus>();

    /// <summary>Each of them once.</summary>
    public IEnumerable<IBus> Distinct => ReferenceEquals(Publish, Probe) ? [Publish] : [Publish, Probe];

    /// <summary>Gives up the connection of <see cref="Publish"/>, where it is one of its own.</summary>
    public void DropPublish() => provider.GetRequiredService<BusConnection<IPublishBus>>().Drop();

    /// <summary>Gives up the connection of <see cref="Probe"/>, where it is one of its own.</summary>
    public void DropProbe() => provider.GetRequiredService<BusConnection<IProbeBus>>().Drop();
}

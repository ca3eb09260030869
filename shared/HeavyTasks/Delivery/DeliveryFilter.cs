using MassTransit;

namespace Platform.HeavyTasks;

/// <summary>
/// Ends a delivery when its channel closes, while the delivered task goes on with the scope and the context that MassTransit opened for it.
/// RabbitMQ.Client 7.1.2 notifies the channels of a lost connection one after another, and at each channel waits for its deliveries
/// (<c>Channel.OnSessionShutdownAsync</c>): without this filter one long task would keep the endpoints of other kinds on a dead channel.
/// The broker delivers the message again, and that delivery does not win the claim.
/// </summary>
internal sealed class DeliveryFilter : IFilter<ConsumeContext>
{
    public Task Send(ConsumeContext context, IPipe<ConsumeContext> next) => next.Send(context).WaitAsync(context.CancellationToken);

    public void Probe(ProbeContext context) => context.CreateFilterScope("delivery");
}

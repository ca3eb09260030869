using MassTransit;

namespace Platform.HeavyTasks;

/// <summary>
/// Ends a delivery with its channel, while the task that it brought goes on, with the scope and the context that MassTransit opened for it.
/// RabbitMQ.Client 7.1.2 tells the channels of a lost connection one after another, and waits at each for the deliveries that it made
/// (<c>Channel.OnSessionShutdownAsync</c>): one long task would keep the endpoints of other kinds on a dead channel. The broker delivers the
/// message again, and it does not win the claim.
/// </summary>
internal sealed class DeliveryFilter : IFilter<ConsumeContext>
{
    public Task Send(ConsumeContext context, IPipe<ConsumeContext> next) => next.Send(context).WaitAsync(context.CancellationToken);

    public void Probe(ProbeContext context) => context.CreateFilterScope("delivery");
}

using MassTransit;
using MassTransit.RabbitMqTransport;

namespace Platform.ServiceDefaults;

/// <summary>
/// Tells a receive endpoint that a broker which did not answer in time is a broker that is away. RabbitMQ.Client reports it as a
/// cancellation, and at a cancellation MassTransit 8.4.0 ends the endpoint for good (ReceiveTransport.Run), as if somebody had stopped
/// it: the process would go on and never consume again. At a lost connection it connects again.
/// </summary>
public sealed class ChannelTimeouts : IFilter<ChannelContext>
{
    /// <inheritdoc />
    public async Task Send(ChannelContext context, IPipe<ChannelContext> next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        try
        {
            await next.Send(context);
        }
        catch (OperationCanceledException exception) when (!context.CancellationToken.IsCancellationRequested)
        {
            throw new RabbitMqConnectionException("The broker did not answer in time.", exception);
        }
    }

    /// <inheritdoc />
    public void Probe(ProbeContext context)
    {
    }
}

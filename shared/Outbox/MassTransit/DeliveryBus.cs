using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using MassTransit;

namespace Platform.Outbox;

/// <summary>
/// The bus as MassTransit's delivery of the outbox sees it: a send ends at the latest one second after its token. RabbitMQ.Client 7
/// disposes the semaphores of a closed channel, and whoever waits for one, such as the declaration of an exchange, waits for ever,
/// whatever its token says: the delivery of the process would stand still until its restart, in an open transaction.
/// </summary>
[SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives from it.")]
internal class DeliveryBus : DispatchProxy
{
    private static readonly TimeSpan CancelTimeout = TimeSpan.FromSeconds(1);

    private object target = null!;
    private TimeProvider time = null!;

    public static IBusControl Over(IBusControl bus, TimeProvider time) => Wrap(bus, time);

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        var result = targetMethod!.Invoke(target, BindingFlags.DoNotWrapExceptions, null, args, null);
        return result switch
        {
            Task<ISendEndpoint> endpoint => WrapAsync(endpoint),
            Task { IsCompleted: false } send when targetMethod.Name == nameof(ISendEndpoint.Send) => EndAsync(
                send,
                args!.OfType<CancellationToken>().Single()
            ),
            _ => result,
        };
    }

    private static T Wrap<T>(T target, TimeProvider time)
        where T : class
    {
        var wrapped = Create<T, DeliveryBus>();
        var proxy = (DeliveryBus)(object)wrapped;
        proxy.target = target;
        proxy.time = time;
        return wrapped;
    }

    private async Task<ISendEndpoint> WrapAsync(Task<ISendEndpoint> endpoint) => Wrap(await endpoint, time);

    private async Task EndAsync(Task send, CancellationToken cancellationToken)
    {
        using var abandoned = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        await using var cancelled = cancellationToken.Register(() => abandoned.CancelAfter(CancelTimeout));
        await send.WaitAsync(abandoned.Token);
    }
}

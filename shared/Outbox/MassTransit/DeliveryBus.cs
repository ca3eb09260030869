using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using MassTransit;

namespace Platform.Outbox;

/// <summary>
/// The bus as MassTransit's outbox delivery sees it: a send ends at most one second after its token. RabbitMQ.Client 7 disposes the
/// semaphores of a closed channel, and a send that waits for one, for example to declare an exchange, waits forever, whatever its token
/// says. The delivery of the process would then hang until its restart, in an open transaction.
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

using MassTransit;

namespace Platform.Bare;

/// <summary>The bare limit of the relay: publish with confirms, from several publishers that each have one message under way.</summary>
internal static class PublishMany
{
    /// <returns>The seconds from the first call to the last confirm.</returns>
    public static async Task<double> HandleAsync(string kind, int count, int publishers, IBus bus, TimeProvider time)
    {
        var remaining = count;
        var start = time.GetTimestamp();
        await Task.WhenAll(
            Enumerable
                .Range(0, publishers)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        while (Interlocked.Decrement(ref remaining) >= 0)
                        {
                            await bus.Publish(new BareMessage(Guid.CreateVersion7(), kind));
                        }
                    })
                )
        );
        return time.GetElapsedTime(start).TotalSeconds;
    }
}

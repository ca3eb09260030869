namespace Platform.Outbox;

/// <summary>
/// Lets one sender have the channel for itself. The bus has one channel, and the broker closes it under everybody when it refuses a
/// message: whose it was shows only alone.
/// </summary>
internal sealed class SendGate(TimeProvider time) : IDisposable
{
    // A send that the closed channel did not end goes on beside whoever is alone: it may be blamed for another's refusal, and waits for that.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    private readonly SemaphoreSlim open = new(1);
    private int sending;

    /// <summary>Waits while somebody is alone, then sends beside others.</summary>
    public async Task SendAsync(Func<Task> send)
    {
        await open.WaitAsync();
        Interlocked.Increment(ref sending);
        open.Release();
        try
        {
            await send();
        }
        finally
        {
            Interlocked.Decrement(ref sending);
        }
    }

    /// <summary>Waits until nobody else sends, and sends while the others wait.</summary>
    public async Task SendAloneAsync(Func<Task> send)
    {
        await open.WaitAsync();
        try
        {
            for (var start = time.GetTimestamp(); Volatile.Read(ref sending) > 0 && time.GetElapsedTime(start) < Patience; )
            {
                await Task.Delay(Look, time, CancellationToken.None);
            }

            await send();
        }
        finally
        {
            open.Release();
        }
    }

    public void Dispose() => open.Dispose();
}

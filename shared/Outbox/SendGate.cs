namespace Platform.Outbox;

/// <summary>
/// Lets one sender have the channel to itself. The bus has one channel, and when the broker refuses a message it closes the channel under
/// all messages. Which message it refused shows only when each sender sends alone.
/// </summary>
internal sealed class SendGate(TimeProvider time) : IDisposable
{
    // A send that the closed channel did not end goes on beside the lone sender and may be blamed for its refusal. The lone sender waits
    // this long for it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    private readonly SemaphoreSlim open = new(1);
    private int sending;

    /// <summary>Waits while another sender is alone, then sends beside others.</summary>
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

    /// <summary>Waits until no other sender is sending, and sends while the others wait.</summary>
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

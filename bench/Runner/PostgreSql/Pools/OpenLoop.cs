namespace Platform.Runner.Pools;

/// <summary>
/// Sends requests when they are due, whether or not earlier ones were answered, as independent clients do. Latency counts from the moment
/// when a request was due, so that a stall of the server or the sender is included.
/// </summary>
internal sealed class OpenLoop(TimeProvider time, long start)
{
    /// <summary>The time after which a client gives up.</summary>
    public static readonly TimeSpan ClientLimit = TimeSpan.FromSeconds(30);

    /// <summary>Sends at a fixed rate until told to stop, then waits for the answers.</summary>
    public Task<Sample[]> RunAsync(double rate, Func<CancellationToken, Task<bool>> send, CancellationToken stop) =>
        RunAsync(Enumerable.Range(0, int.MaxValue).Select(n => n / rate), send, stop);

    /// <summary>Sends at these times, in seconds from now, until told to stop, then waits for the answers.</summary>
    public async Task<Sample[]> RunAsync(IEnumerable<double> schedule, Func<CancellationToken, Task<bool>> send, CancellationToken stop)
    {
        var began = time.GetElapsedTime(start).TotalSeconds;
        var requests = new List<Task<Sample>>();
        foreach (var offset in schedule)
        {
            var due = began + offset;
            var wait = due - time.GetElapsedTime(start).TotalSeconds;
            if (wait > 0.001)
            {
                try
                {
                    await Task.Delay(TimeSpan.FromSeconds(wait), time, stop);
                }
                catch (OperationCanceledException)
                {
                    break;
                }
            }

            if (stop.IsCancellationRequested)
            {
                break;
            }

            requests.Add(SendAsync(due, send));
        }

        return await Task.WhenAll(requests);
    }

    private async Task<Sample> SendAsync(double due, Func<CancellationToken, Task<bool>> send)
    {
        var left = ClientLimit - (time.GetElapsedTime(start) - TimeSpan.FromSeconds(due));
        using var limit = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, time);
        var succeeded = false;
        try
        {
            succeeded = await send(limit.Token);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or IOException) { }

        return new Sample(due, time.GetElapsedTime(start).TotalSeconds - due, succeeded);
    }
}

/// <param name="Due">When the request was due, in seconds.</param>
/// <param name="Latency">The time from then to the answer, in seconds.</param>
/// <param name="Succeeded">Whether the answer was the expected one.</param>
internal sealed record Sample(double Due, double Latency, bool Succeeded);

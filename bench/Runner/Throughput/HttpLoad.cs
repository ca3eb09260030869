namespace Platform.Runner.Throughput;

/// <param name="PerSecond">The number of answers with 202 per second.</param>
/// <param name="Latencies">The latency of each answer, in milliseconds, sorted.</param>
internal sealed record LoadResult(double PerSecond, double[] Latencies)
{
    public double Percentile(double p) => Statistics.Percentile(Latencies, p);
}

/// <summary>A closed loop: each connection sends its next request when it has the answer to the last one.</summary>
internal static class HttpLoad
{
    private static readonly TimeProvider Time = TimeProvider.System;

    /// <summary>Sends requests for a time. Requests under way at its end are answered but not counted.</summary>
    public static Task<LoadResult> RunAsync(Service service, string path, string json, int connections, TimeSpan duration)
    {
        var start = Time.GetTimestamp();
        return RunAsync(service, path, json, connections, duration, () => ValueTask.FromResult(Time.GetElapsedTime(start) < duration));
    }

    /// <summary>Sends a number of requests.</summary>
    public static Task<LoadResult> RunAsync(Service service, string path, string json, int connections, int count)
    {
        var remaining = count;
        return RunAsync(
            service,
            path,
            json,
            connections,
            TimeSpan.MaxValue,
            () => ValueTask.FromResult(Interlocked.Decrement(ref remaining) >= 0)
        );
    }

    /// <param name="service">The service to ask.</param>
    /// <param name="path">The path of the request.</param>
    /// <param name="json">The body of the request.</param>
    /// <param name="connections">The number of connections.</param>
    /// <param name="counted">The time to count; answers that end later are not counted.</param>
    /// <param name="mayGoOn">Called before each request; false ends the connection that called it.</param>
    /// <exception cref="InvalidOperationException">
    /// A request was not accepted, or the whole run took longer than <see cref="Patience.Limit"/>.
    /// </exception>
    public static async Task<LoadResult> RunAsync(
        Service service,
        string path,
        string json,
        int connections,
        TimeSpan counted,
        Func<ValueTask<bool>> mayGoOn
    )
    {
        var request = HttpConnection.Request(service.Address, path, json);
        using var limit = new CancellationTokenSource(Patience.Limit);
        var start = Time.GetTimestamp();
        var latencies = await service.ExplainAsync(
            Task.WhenAll(
                Enumerable
                    .Range(0, connections)
                    .Select(_ =>
                        Task.Run(async () =>
                        {
                            var own = new List<double>(16 * 1024);
                            using var connection = await HttpConnection.OpenAsync(service.Address);
                            while (await mayGoOn())
                            {
                                var sent = Time.GetTimestamp();
                                await connection.PostAsync(request, limit.Token);
                                if (Time.GetElapsedTime(start) <= counted)
                                {
                                    own.Add(Time.GetElapsedTime(sent).TotalMilliseconds);
                                }
                            }

                            return own;
                        })
                    )
            )
        );
        var elapsed = Time.GetElapsedTime(start);
        var all = latencies.SelectMany(l => l).Order().ToArray();
        return new LoadResult(all.Length / (elapsed < counted ? elapsed : counted).TotalSeconds, all);
    }
}

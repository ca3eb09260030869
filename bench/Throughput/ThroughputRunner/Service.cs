using System.Net.Http.Json;
using Platform.Support;

namespace Platform.ThroughputRunner;

/// <summary>A started process and its address.</summary>
internal sealed class Service(string project, ServiceProcess process, Uri address) : IAsyncDisposable
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(60);

    private readonly HttpClient client = new() { BaseAddress = address, Timeout = TimeSpan.FromMinutes(2) };

    public Uri Address => address;

    /// <summary>Whether it is the platform's worker.</summary>
    public bool RunsTasks => project.EndsWith("RowWorker", StringComparison.Ordinal);

    public int ProcessId => process.Id;

    public void Pause() => process.Pause();

    public void Resume() => process.Resume();

    public async Task<T> PostAsync<T>(string path)
    {
        using var response = await client.PostAsync(path, content: null);
        return response.IsSuccessStatusCode
            ? (await response.Content.ReadFromJsonAsync<T>())!
            : throw new InvalidOperationException($"{path} answered {(int)response.StatusCode}. {process.Output}");
    }

    /// <summary>Returns when the process consumes from the queue.</summary>
    public async Task WaitForConsumerAsync(Broker broker, string queue)
    {
        for (var tries = 0; await broker.ConsumersAsync(queue) == 0; tries++)
        {
            if (tries > 600 || process.HasExited)
            {
                throw new TimeoutException($"Nobody consumes from {queue}. {process.Output}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        if (!process.HasExited)
        {
            process.Terminate();
            await process.WaitForExitAsync(StopLimit);
        }
    }
}

using System.Net.Http.Json;
using Platform.Support;

namespace Platform.ThroughputRunner;

/// <summary>A started process and its address.</summary>
internal sealed class Service(Variant variant, ServiceProcess process, Uri address) : IAsyncDisposable
{
    private readonly HttpClient client = new() { BaseAddress = address, Timeout = Patience.Limit };

    /// <summary>The build that it is of.</summary>
    public Variant Variant => variant;

    public Uri Address => address;

    /// <summary>Whether it is the platform's worker.</summary>
    public bool RunsTasks { get; init; }

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

    /// <summary>Adds the end of what the process wrote to what went wrong with its answers.</summary>
    public async Task<T> ExplainAsync<T>(Task<T> answers)
    {
        try
        {
            return await answers;
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException(
                $"{exception.Message.ReplaceLineEndings(" ")}\n{string.Join('\n', process.Output.Split('\n').TakeLast(40))}",
                exception
            );
        }
    }

    /// <summary>Returns when the process consumes from the queue.</summary>
    public Task WaitForConsumerAsync(Broker broker, string queue) =>
        Patience.WaitAsync(
            async () =>
                process.HasExited
                    ? throw new InvalidOperationException($"Nobody consumes from {queue}: the process has ended. {process.Output}")
                    : await broker.ConsumersAsync(queue) > 0,
            $"consumer of {queue}",
            Patience.ProcessLimit
        );

    /// <summary>Ends the process; firmly, when it does not end by itself.</summary>
    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        try
        {
            if (!process.HasExited)
            {
                // One that was left paused would not hear that it shall end.
                process.Resume();
                process.Terminate();
                await process.WaitForExitAsync(Patience.ProcessLimit);
            }
        }
        catch (Exception exception) when (exception is TimeoutException or InvalidOperationException)
        {
            Console.Error.WriteLine(exception.Message);
        }

        await process.DisposeAsync();
    }
}

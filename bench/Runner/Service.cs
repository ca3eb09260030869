using System.Net.Http.Json;
using Platform.Support;

namespace Platform.Runner;

/// <summary>A started process and its address.</summary>
internal sealed class Service : IAsyncDisposable
{
    private const string AnyPort = "http://127.0.0.1:0";

    private readonly HttpClient client = new HttpClient { Timeout = Patience.Limit }.WithTestKey();
    private readonly Func<string, ServiceProcess> start;
    private ServiceProcess process;

    private Service(Variant variant, Func<string, ServiceProcess> start)
    {
        Variant = variant;
        this.start = start;
        process = start(AnyPort);
    }

    /// <summary>The build of the service.</summary>
    public Variant Variant { get; }

    public Uri Address { get; private set; } = null!;

    public int ProcessId => process.Id;

    /// <param name="variant">The build of the service.</param>
    /// <param name="start">Starts the process, given the address to listen on.</param>
    public static async Task<Service> StartAsync(Variant variant, Func<string, ServiceProcess> start)
    {
        var service = new Service(variant, start);
        try
        {
            service.Address = await service.process.WaitForAddressAsync(Patience.ProcessLimit);
            return service;
        }
        catch
        {
            await service.process.DisposeAsync();
            throw;
        }
    }

    public void Pause() => process.Pause();

    public void Resume() => process.Resume();

    /// <summary>Sends SIGKILL.</summary>
    public Task KillAsync() => process.KillAsync();

    /// <summary>Sends SIGKILL, then starts the same service again at the same address.</summary>
    public async Task KillAndStartAgainAsync()
    {
        await KillAsync();
        await process.DisposeAsync();
        process = start(Address.ToString());
        await process.WaitForAddressAsync(Patience.ProcessLimit);
    }

    public async Task<T> PostAsync<T>(string path)
    {
        using var response = await client.PostAsync(new Uri(Address, path), content: null);
        return response.IsSuccessStatusCode
            ? (await response.Content.ReadFromJsonAsync<T>())!
            : throw new InvalidOperationException($"{path} answered {(int)response.StatusCode}. {process.Output}");
    }

    /// <summary>Adds the end of the process's output to an error of its answers.</summary>
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

    /// <summary>Waits until the process consumes from the queue.</summary>
    public Task WaitForConsumerAsync(Broker broker, string queue) =>
        Patience.WaitAsync(
            async () =>
                process.HasExited
                    ? throw new InvalidOperationException($"Nobody consumes from {queue}: the process has ended. {process.Output}")
                    : await broker.ConsumersAsync(queue) > 0,
            $"consumer of {queue}",
            Patience.ProcessLimit
        );

    /// <summary>Ends the process; kills it if it does not end by itself.</summary>
    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        try
        {
            if (!process.HasExited)
            {
                // A paused process would not notice that it must end.
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

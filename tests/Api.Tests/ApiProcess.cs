using Platform.Support;

namespace Platform.Api.Tests;

/// <summary>The API as its own process, without a broker.</summary>
internal sealed class ApiProcess : IAsyncDisposable
{
    private ApiProcess(ServiceProcess process, Uri address)
    {
        Process = process;
        Client = new HttpClient(new DocumentedAnswers(new SocketsHttpHandler())) { BaseAddress = address }.WithTestKey();
    }

    public ServiceProcess Process { get; }

    public HttpClient Client { get; }

    public static async Task<ApiProcess> StartAsync(string connectionString)
    {
        var process = ServiceProcess.Start("services/Api", Environment(connectionString, "http://127.0.0.1:0"));
        try
        {
            return new ApiProcess(process, await process.WaitForAddressAsync(TimeSpan.FromSeconds(60)));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public static Dictionary<string, string?> Environment(string? connectionString, string? urls) =>
        new()
        {
            ["ConnectionStrings__Platform"] = connectionString,
            ["RabbitMq__Uri"] = "amqp://127.0.0.1:1/",
            ["ASPNETCORE_URLS"] = urls,
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
        };

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Process.DisposeAsync();
    }
}

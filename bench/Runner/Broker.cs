using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Platform.Support;
using RabbitMQ.Client;

namespace Platform.Runner;

/// <summary>The virtual host of this run, with a connection to inspect its queues.</summary>
internal sealed class Broker : IAsyncDisposable
{
    private readonly TestBroker virtualHost;
    private readonly IConnection connection;
    private readonly IChannel channel;
    private Task<int?>? processId;

    private Broker(TestBroker virtualHost, IConnection connection, IChannel channel)
    {
        this.virtualHost = virtualHost;
        this.connection = connection;
        this.channel = channel;
    }

    public Uri Uri => virtualHost.Uri;

    /// <summary>The version of the server.</summary>
    public string Version => Encoding.UTF8.GetString((byte[])connection.ServerProperties!["version"]!);

    public static async Task<Broker> CreateAsync()
    {
        var virtualHost = await Patience.TryAsync(TestBroker.CreateAsync);
        var factory = new ConnectionFactory { Uri = virtualHost.Uri, ClientProvidedName = "bench runner" };
        var connection = await Patience.TryAsync(() => factory.CreateConnectionAsync());
        return new Broker(virtualHost, connection, await connection.CreateChannelAsync());
    }

    /// <summary>Removes the messages that wait in a queue. A lost connection comes back by itself.</summary>
    public Task PurgeAsync(string queue) => Patience.TryAsync(() => channel.QueuePurgeAsync(queue));

    public async Task<uint> ConsumersAsync(string queue) => await Patience.TryAsync(() => virtualHost.ConsumerCountAsync(queue)) ?? 0;

    /// <summary>The process id of the server; null when it is not on this machine.</summary>
    public Task<int?> ProcessIdAsync() => processId ??= ReadProcessIdAsync();

    public async ValueTask DisposeAsync()
    {
        await channel.DisposeAsync();
        await connection.DisposeAsync();
        await virtualHost.DisposeAsync();
    }

    private static async Task<int?> ReadProcessIdAsync()
    {
        var management = Servers.RabbitMqManagement;
        using var client = new HttpClient { BaseAddress = new UriBuilder(management) { UserName = "", Password = "" }.Uri };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes(System.Uri.UnescapeDataString(management.UserInfo)))
        );
        var nodes = await client.GetFromJsonAsync<List<JsonElement>>("api/nodes?columns=os_pid");
        return management.IsLoopback && int.TryParse(nodes![0].GetProperty("os_pid").GetString(), out var pid) ? pid : null;
    }
}

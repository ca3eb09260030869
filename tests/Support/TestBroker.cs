using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Platform.Support;

/// <summary>A virtual host for one test, which shares no queue, exchange or message with other tests. It is deleted at the end.</summary>
public sealed class TestBroker : IAsyncDisposable
{
    private readonly HttpClient management;
    private readonly string virtualHost;
    private readonly bool owned;

    private TestBroker(Uri broker, Uri managementAddress, string virtualHost, bool owned)
    {
        this.virtualHost = Uri.EscapeDataString(virtualHost);
        this.owned = owned;
        Uri = owned ? new UriBuilder(broker) { Path = this.virtualHost }.Uri : broker;
        management = new HttpClient { BaseAddress = new UriBuilder(managementAddress) { UserName = "", Password = "" }.Uri };
        var credentials = Encoding.UTF8.GetBytes(Uri.UnescapeDataString(managementAddress.UserInfo));
        management.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(credentials));
    }

    /// <summary>The value of <c>RabbitMq:Uri</c> for the services under test.</summary>
    public Uri Uri { get; }

    /// <summary>Creates a virtual host on the shared broker (<see cref="Servers.RabbitMq"/>).</summary>
    public static async Task<TestBroker> CreateAsync()
    {
        var broker = new TestBroker(Servers.RabbitMq, Servers.RabbitMqManagement, $"test-{Guid.NewGuid():N}", owned: true);
        var user = Servers.RabbitMq.UserInfo.Split(':')[0];
        await broker.SendAsync(HttpMethod.Put, $"api/vhosts/{broker.virtualHost}");
        await broker.SendAsync(
            HttpMethod.Put,
            $"api/permissions/{broker.virtualHost}/{user}",
            new
            {
                configure = ".*",
                write = ".*",
                read = ".*",
            }
        );
        return broker;
    }

    /// <summary>Uses the default virtual host of a broker that belongs to the test.</summary>
    internal static TestBroker Attach(Uri broker, Uri managementAddress) => new(broker, managementAddress, "/", owned: false);

    /// <summary>
    /// Counts the messages of every queue that wait for delivery (without those delivered and unacknowledged). The numbers are exact at the
    /// time of the call.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, uint>> QueueDepthsAsync()
    {
        var depths = new Dictionary<string, uint>();
        foreach (var name in await NamesAsync($"api/queues/{virtualHost}"))
        {
            if (await QueueDepthAsync(name) is { } depth)
            {
                depths[name] = depth;
            }
        }

        return depths;
    }

    /// <summary>Counts the messages that wait for delivery; null when there is no such queue.</summary>
    public async Task<uint?> QueueDepthAsync(string queue) => (await DeclarePassivelyAsync(queue))?.MessageCount;

    /// <summary>The number of consumers of a queue; null when there is no such queue.</summary>
    public async Task<uint?> ConsumerCountAsync(string queue) => (await DeclarePassivelyAsync(queue))?.ConsumerCount;

    /// <summary>The arguments that a queue was declared with.</summary>
    public async Task<JsonElement> QueueArgumentsAsync(string queue) =>
        (await ReadAsync($"api/queues/{virtualHost}/{Uri.EscapeDataString(queue)}")).GetProperty("arguments");

    /// <summary>
    /// Counts the messages of a queue that were delivered and are not acknowledged. The broker updates this number every five seconds.
    /// </summary>
    public async Task<int> UnacknowledgedAsync(string queue) =>
        (await ReadAsync($"api/queues/{virtualHost}/{Uri.EscapeDataString(queue)}")).TryGetProperty(
            "messages_unacknowledged",
            out var count
        )
            ? count.GetInt32()
            : -1;

    /// <summary>Declares a durable classic queue and binds it, to collect what is published.</summary>
    /// <param name="queue">The queue's name.</param>
    /// <param name="exchange">An existing exchange, such as <c>Platform.Contracts:HeavyTaskSucceeded</c>.</param>
    /// <param name="routingKey">The binding's key; empty suits a fanout exchange.</param>
    public Task DeclareQueueAsync(string queue, string exchange, string routingKey = "") =>
        UseChannelAsync(async channel =>
        {
            await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
            await channel.QueueBindAsync(queue, exchange, routingKey);
            return true;
        });

    /// <summary>Declares a durable queue with arguments.</summary>
    public Task DeclareQueueAsync(string queue, IDictionary<string, object?> arguments) =>
        UseChannelAsync(channel => channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, arguments));

    /// <summary>Publishes raw bytes as a persistent message, and waits for the broker's confirm.</summary>
    /// <param name="exchange">The exchange; empty for the default exchange, whose routing keys are names of queues.</param>
    /// <param name="routingKey">The routing key.</param>
    /// <param name="body">The body, sent unchanged.</param>
    /// <param name="contentType">The content type; MassTransit's own is <c>application/vnd.masstransit+json</c>.</param>
    /// <exception cref="PublishException">No queue is bound for the message.</exception>
    public Task PublishAsync(string exchange, string routingKey, ReadOnlyMemory<byte> body, string contentType, string? messageId = null) =>
        UseChannelAsync(async channel =>
        {
            var properties = new BasicProperties { ContentType = contentType, DeliveryMode = DeliveryModes.Persistent };
            if (messageId is not null)
            {
                // The id is set twice, as MassTransit's own raw JSON publishers do.
                properties.MessageId = messageId;
                properties.Headers = new Dictionary<string, object?> { ["MessageId"] = messageId };
            }

            await channel.BasicPublishAsync(exchange, routingKey, mandatory: true, properties, body);
            return true;
        });

    /// <summary>Takes all waiting messages out of a queue and returns their bodies, oldest first.</summary>
    public Task<IReadOnlyList<string>> TakeMessagesAsync(string queue) =>
        UseChannelAsync<IReadOnlyList<string>>(async channel =>
        {
            var bodies = new List<string>();
            while (await channel.BasicGetAsync(queue, autoAck: true) is { } message)
            {
                bodies.Add(Encoding.UTF8.GetString(message.Body.Span));
            }

            return bodies;
        });

    /// <summary>The number of members of a quorum queue that run.</summary>
    public async Task<int> OnlineMembersAsync(string queue) =>
        (await ReadAsync($"api/queues/{virtualHost}/{Uri.EscapeDataString(queue)}")).TryGetProperty("online", out var online)
            ? online.GetArrayLength()
            : 0;

    /// <summary>The number of connections to each node of the broker.</summary>
    public async Task<IReadOnlyDictionary<string, int>> ConnectionsByNodeAsync()
    {
        var connections = await management.GetFromJsonAsync<List<JsonElement>>("api/connections?columns=node");
        return connections!.CountBy(connection => connection.GetProperty("node").GetString()!).ToDictionary();
    }

    /// <summary>The version of the broker.</summary>
    public async Task<Version> VersionAsync() =>
        Version.Parse(
            (await management.GetFromJsonAsync<JsonElement>("api/overview?columns=rabbitmq_version"))
                .GetProperty("rabbitmq_version")
                .GetString()!
        );

    /// <summary>Deletes a queue and its messages; does nothing when there is no such queue.</summary>
    public Task DeleteQueueAsync(string queue) => UseChannelAsync(channel => channel.QueueDeleteAsync(queue));

    /// <summary>
    /// Closes every connection to this virtual host from the broker's side, and returns their number. Clients may reconnect at once.
    /// </summary>
    public async Task<int> CloseConnectionsAsync()
    {
        var names = await NamesAsync($"api/vhosts/{virtualHost}/connections");
        foreach (var name in names)
        {
            await SendAsync(HttpMethod.Delete, $"api/connections/{Uri.EscapeDataString(name)}");
        }

        return names.Count;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (owned)
        {
            await SendAsync(HttpMethod.Delete, $"api/vhosts/{virtualHost}");
        }

        management.Dispose();
    }

    private async Task<QueueDeclareOk?> DeclarePassivelyAsync(string queue)
    {
        try
        {
            return await UseChannelAsync(channel => channel.QueueDeclarePassiveAsync(queue));
        }
        catch (OperationInterruptedException exception) when (exception.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return null;
        }
    }

    /// <summary>Opens a connection for each use, so that none is open when the test closes connections or restarts the broker.</summary>
    private async Task<T> UseChannelAsync<T>(Func<IChannel, Task<T>> use)
    {
        var factory = new ConnectionFactory
        {
            Uri = Uri,
            AutomaticRecoveryEnabled = false,
            ClientProvidedName = "test",
        };
        await using var connection = await factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true)
        );
        return await use(channel);
    }

    private Task<JsonElement> ReadAsync(string path) => management.GetFromJsonAsync<JsonElement>(path);

    private async Task<IReadOnlyList<string>> NamesAsync(string path)
    {
        var items = await management.GetFromJsonAsync<List<JsonElement>>($"{path}?columns=name");
        return items!.ConvertAll(item => item.GetProperty("name").GetString()!);
    }

    private async Task SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        using var response = await management.SendAsync(request);
        if (!response.IsSuccessStatusCode && !(method == HttpMethod.Delete && response.StatusCode == HttpStatusCode.NotFound))
        {
            throw new HttpRequestException(
                $"RabbitMQ: {method} {path} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}"
            );
        }
    }
}

namespace Platform.Support;

/// <summary>
/// A RabbitMQ server of a test's own, to stop, kill and start again. The start takes about four seconds: where the server itself is
/// not the subject, use <see cref="TestBroker"/>.
/// </summary>
public sealed class PrivateBroker : IAsyncDisposable
{
    private readonly string folder = Servers.NewFolder("rabbitmq");
    private readonly string[] settings;
    private TestBroker? virtualHost;

    private PrivateBroker(string[] settings) => this.settings = settings;

    /// <summary>For <c>RabbitMq:Uri</c> of the services under test; the same after each start.</summary>
    public Uri Uri => VirtualHost.Uri;

    /// <summary>The broker's default virtual host, to look into. Only while the broker runs.</summary>
    public TestBroker VirtualHost => virtualHost ?? throw new InvalidOperationException("The broker was never started.");

    /// <summary>Makes and starts the broker.</summary>
    /// <param name="settings">Lines of rabbitmq.conf that win over deploy/rabbitmq.conf, such as <c>consumer_timeout = 60000</c>.</param>
    public static async Task<PrivateBroker> CreateAsync(params string[] settings)
    {
        var broker = new PrivateBroker(settings);
        try
        {
            await broker.StartAsync();
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the stopped or killed broker again, on the same ports with the same data.</summary>
    /// <exception cref="InvalidOperationException">It did not start, or somebody else has one of its ports meanwhile.</exception>
    public async Task StartAsync()
    {
        var server = await Servers.RunScriptAsync(["start", "rabbitmq", folder, .. settings]);
        var uri = new Uri(server["uri"]);
        if (virtualHost is not null && virtualHost.Uri != uri)
        {
            throw new InvalidOperationException("Another process took one of the broker's ports while it was down.");
        }

        virtualHost ??= TestBroker.Attach(uri, new Uri(server["management"]));
    }

    /// <summary>Stops the broker gracefully, as an operator does. Takes about six seconds: its management plugin is slow to end.</summary>
    public Task StopAsync() => Servers.RunScriptAsync("stop", "rabbitmq", folder);

    /// <summary>SIGKILL.</summary>
    public Task KillAsync() => Servers.RunScriptAsync("kill", "rabbitmq", folder);

    /// <summary>Stops and starts.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (virtualHost is not null)
        {
            await virtualHost.DisposeAsync();
        }

        await KillAsync();
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

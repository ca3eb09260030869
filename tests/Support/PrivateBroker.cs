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

    /// <summary>Makes a quorum queue stand still, as if it had no leader: what is published to it is not confirmed, and nothing else is concerned.</summary>
    public Task SuspendAsync(string queue) => EvaluateAsync($"sys:suspend({ProcessOf(queue)}).");

    /// <summary>Ends it.</summary>
    public Task ResumeAsync(string queue) => EvaluateAsync($"sys:resume({ProcessOf(queue)}).");

    /// <summary>Raises the alarm of memory, which blocks whoever publishes.</summary>
    public Task RaiseMemoryAlarmAsync() => EvaluateAsync("vm_memory_monitor:set_vm_memory_high_watermark({absolute, 1000}).");

    /// <summary>Ends it.</summary>
    public Task EndMemoryAlarmAsync() => EvaluateAsync("vm_memory_monitor:set_vm_memory_high_watermark({absolute, 2000000000}).");

    // A quorum queue's process has the name of its virtual host and itself.
    private static string ProcessOf(string queue) => $"'%2F_{queue}'";

    private async Task EvaluateAsync(string expression) => await Servers.RunScriptAsync("eval", "rabbitmq", folder, expression);

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

namespace Platform.Support;

/// <summary>
/// A RabbitMQ server that one test can stop, kill and start again. The start takes about four seconds: unless the server itself is the
/// subject of the test, use <see cref="TestBroker"/>.
/// </summary>
public sealed class PrivateBroker : IAsyncDisposable
{
    private const int MaxTries = 30;

    private readonly string folder;
    private readonly string[] settings;
    private TestBroker? virtualHost;

    private PrivateBroker(string folder, string[] settings) => (this.folder, this.settings) = (folder, settings);

    /// <summary>The value of <c>RabbitMq:Uri</c> for the services under test; the same after each start.</summary>
    public Uri Uri => VirtualHost.Uri;

    /// <summary>The broker's default virtual host, to look into while the broker runs.</summary>
    public TestBroker VirtualHost => virtualHost ?? throw new InvalidOperationException("The broker was never started.");

    /// <summary>Creates and starts the broker.</summary>
    /// <param name="settings">Lines of rabbitmq.conf that override deploy/rabbitmq.conf, such as <c>consumer_timeout = 60000</c>.</param>
    public static Task<PrivateBroker> CreateAsync(params string[] settings) => CreateInAsync(Servers.NewFolder("rabbitmq"), settings);

    /// <summary>Creates and starts a broker that takes TLS only, with a certificate for these names.</summary>
    public static Task<PrivateBroker> CreateEncryptedAsync(TestAuthority authority, params IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(authority);
        return CreateInAsync(authority.Certify(Servers.NewFolder("rabbitmq"), names));
    }

    /// <summary>Creates and starts the broker in a folder that may hold files of it already.</summary>
    internal static async Task<PrivateBroker> CreateInAsync(string folder, params string[] settings)
    {
        var broker = new PrivateBroker(folder, settings);
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
    /// <exception cref="InvalidOperationException">The broker did not start, or another process has taken one of its ports.</exception>
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

    /// <summary>
    /// Stops the broker gracefully, as an operator does. This takes about six seconds, because its management plugin is slow to end.
    /// </summary>
    public Task StopAsync() => Servers.RunScriptAsync("stop", "rabbitmq", folder);

    /// <summary>Kills the broker with SIGKILL.</summary>
    public Task KillAsync() => Servers.RunScriptAsync("kill", "rabbitmq", folder);

    /// <summary>
    /// Suspends a quorum queue, as if it had no leader: messages published to it are not confirmed, and nothing else is affected.
    /// </summary>
    public Task SuspendAsync(string queue) => EvaluateAsync($"sys:suspend({ProcessOf(queue)}).");

    /// <summary>Resumes a suspended queue.</summary>
    public Task ResumeAsync(string queue) => EvaluateAsync($"sys:resume({ProcessOf(queue)}).");

    /// <summary>Raises the memory alarm, which blocks all publishers.</summary>
    public Task RaiseMemoryAlarmAsync() => EvaluateAsync("vm_memory_monitor:set_vm_memory_high_watermark({absolute, 1000}).");

    /// <summary>Ends the memory alarm.</summary>
    public Task EndMemoryAlarmAsync() => EvaluateAsync("vm_memory_monitor:set_vm_memory_high_watermark({absolute, 2000000000}).");

    // The name of a quorum queue's process consists of the virtual host and the queue.
    private static string ProcessOf(string queue) => $"'%2F_{queue}'";

    /// <summary>
    /// Has the broker evaluate an Erlang expression; tries again for 30 s. A busy broker may not answer, and a queue that was deleted is made
    /// again only when a service has noticed.
    /// </summary>
    internal async Task EvaluateAsync(string expression)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await Servers.RunScriptAsync("eval", "rabbitmq", folder, expression);
                return;
            }
            catch (InvalidOperationException) when (tries < MaxTries)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None);
            }
        }
    }

    /// <summary>Stops and starts the broker.</summary>
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

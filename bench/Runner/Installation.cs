using Platform.Support;

namespace Platform.Runner;

/// <summary>A database, a virtual host and the processes that use them. All belong to this run and are removed with it.</summary>
internal sealed class Installation : IAsyncDisposable
{
    /// <summary>
    /// The kind of the tasks: one without parameters that the real API knows. The measured worker has its own handler for it.
    /// </summary>
    public const string Kind = "users.statistics";

    private readonly IEnumerable<(string Name, string Value)> settings;

    private Installation(Database database, Broker broker, RunOptions options, IEnumerable<(string Name, string Value)> settings)
    {
        Platform = new Variant("", database, "services/Api", "bench/Services");
        Broker = broker;
        Options = options;
        this.settings = settings;
    }

    /// <summary>This build.</summary>
    public Variant Platform { get; }

    /// <summary>The build with MassTransit's own outbox; null when none was given.</summary>
    public Variant? MassTransit { get; private set; }

    public Broker Broker { get; }

    public RunOptions Options { get; }

    public IEnumerable<Variant> Variants => MassTransit is null ? [Platform] : [Platform, MassTransit];

    /// <param name="options">What is measured.</param>
    /// <param name="settings">Settings for every process, as environment variables.</param>
    public static async Task<Installation> CreateAsync(RunOptions options, params IEnumerable<(string Name, string Value)> settings)
    {
        var installation = new Installation(await Database.CreateAsync(), await Broker.CreateAsync(), options, settings);
        if (options.MassTransitOutbox is { } folder)
        {
            var api = Path.Combine(folder, "Api");
            var database = await Database.CreateAsync(connectionString => installation.RunAsync(api, connectionString, "migrate"));
            installation.MassTransit = new Variant(", MassTransit's outbox", database, api, Path.Combine(folder, "Services"));
        }

        return installation;
    }

    public Task<Service> StartApiAsync(Variant variant, params IEnumerable<(string Name, string Value)> more) =>
        StartAsync(variant, variant.Api, [], more);

    /// <summary>Starts a service that exists only for measurements.</summary>
    /// <param name="variant">The build.</param>
    /// <param name="arguments">Which service, as its Program.cs defines.</param>
    /// <param name="more">Further settings for this service.</param>
    public Task<Service> StartAsync(Variant variant, string[] arguments, params IEnumerable<(string Name, string Value)> more) =>
        StartAsync(variant, variant.Services, arguments, more);

    public Task<Service> StartBareAsync(params IEnumerable<(string Name, string Value)> more) =>
        StartAsync(Platform, "bench/Bare", [], more);

    /// <summary>Runs a command of a service to its end.</summary>
    public async Task RunAsync(string project, string connectionString, params string[] arguments)
    {
        await using var process = ServiceProcess.Start(project, Settings(connectionString), arguments);
        if (await process.WaitForExitAsync(Patience.Limit) is not 0 and var code)
        {
            throw new InvalidOperationException($"{project} {string.Join(' ', arguments)} ended with {code}. {process.Output}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        foreach (var variant in Variants)
        {
            await variant.Database.DisposeAsync();
        }
    }

    private Task<Service> StartAsync(Variant variant, string project, string[] arguments, IEnumerable<(string Name, string Value)> more)
    {
        var environment = Settings(variant.Database.ConnectionString, more);
        return Service.StartAsync(variant, address => ServiceProcess.Start(project, environment, [.. arguments, "--urls", address]));
    }

    private Dictionary<string, string?> Settings(string connectionString, params IEnumerable<(string Name, string Value)> more)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__Platform"] = connectionString,
            ["RabbitMq__Uri"] = Broker.Uri.ToString(),
            ["Logging__LogLevel__Default"] = "Warning",

            // At this level the service logs its address.
            ["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information",
        };
        foreach (var (name, value) in settings.Concat(more))
        {
            environment[name] = value;
        }

        return environment;
    }
}

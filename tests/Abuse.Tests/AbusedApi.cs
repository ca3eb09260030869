using System.Diagnostics;
using Platform.Support;

namespace Platform.Abuse.Tests;

/// <summary>The Api as a process of its own, with its default limits, and a client that goes wherever it is sent.</summary>
internal sealed class AbusedApi : IAsyncDisposable
{
    private readonly TestDatabase database;
    private readonly TestBroker broker;

    private AbusedApi(TestDatabase database, TestBroker broker, ServiceProcess process, Uri address)
    {
        (this.database, this.broker, Process, Address) = (database, broker, process, address);
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, MaxConnectionsPerServer = 500 })
        {
            BaseAddress = address,
            Timeout = TimeSpan.FromSeconds(60),
        }.WithTestKey();
    }

    public ServiceProcess Process { get; }

    public Uri Address { get; }

    public HttpClient Client { get; }

    public TestDatabase Database => database;

    public static async Task<AbusedApi> StartAsync(params (string Key, string Value)[] settings)
    {
        var database = await TestDatabase.CreateAsync();
        var broker = await TestBroker.CreateAsync();
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__Platform"] = database.ConnectionString,
            ["RabbitMq__Uri"] = broker.Uri.ToString(),
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
        };
        foreach (var (key, value) in settings)
        {
            environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        var process = ServiceProcess.Start("services/Api", environment);
        return new AbusedApi(database, broker, process, await process.WaitForAddressAsync(TimeSpan.FromSeconds(60)));
    }

    /// <summary>The memory of the process that lies in RAM, in MiB.</summary>
    public long Megabytes()
    {
        using var api = System.Diagnostics.Process.GetProcessById(Process.Id);
        return api.WorkingSet64 / (1024 * 1024);
    }

    /// <summary>How long one light request takes; it must succeed.</summary>
    public async Task<TimeSpan> AskAsync()
    {
        var watch = Stopwatch.StartNew();
        using var response = await Client.GetAsync(new Uri("/heavy-tasks?limit=1", UriKind.Relative));
        response.EnsureSuccessStatusCode();
        return watch.Elapsed;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Process.DisposeAsync();
        await broker.DisposeAsync();
        await database.DisposeAsync();
    }
}

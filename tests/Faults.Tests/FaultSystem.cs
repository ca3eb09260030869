using Platform.Persistence;
using Platform.Support;

namespace Platform.Faults.Tests;

/// <summary>A broker and a database of its own, one API, three workers, and a load on them.</summary>
public sealed class FaultSystem : IAsyncDisposable
{
    private const int Workers = 3;
    private const int MaxLoads = 10;

    // A worker that begins to load sorts its rows first. A load that ended before it was seen is repeated.
    private static readonly TimeSpan SortPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(90);

    private readonly List<ServiceProcess> workers = [];
    private readonly List<ServiceProcess> ended = [];
    private readonly Dictionary<ServiceProcess, Network> networks = [];
    private readonly IReadOnlyDictionary<string, string> settings;

    private readonly bool hasNetworks;

    private FaultSystem(PrivateDatabase database, PrivateBroker broker, IReadOnlyDictionary<string, string>? settings)
    {
        hasNetworks = settings is null;
        Database = database;
        Broker = broker;
        this.settings = settings ?? new Dictionary<string, string>();
    }

    public PrivateDatabase Database { get; }

    public PrivateBroker Broker { get; }

    public IReadOnlyList<ServiceProcess> AllWorkers => workers;

    public ServiceProcess Api { get; private set; } = null!;

    /// <summary>The networks of all processes that run; only where the services have no settings of their own.</summary>
    public IEnumerable<Network> Networks => workers.Append(Api).Select(NetworkOf);

    /// <summary>The network of a process.</summary>
    public Network NetworkOf(ServiceProcess process) => networks[process];

    /// <summary>The address of <see cref="Api"/>.</summary>
    public Uri ApiAddress { get; private set; } = null!;

    public Load Load { get; private set; } = null!;

    /// <summary>The workers that were killed (process id), and when.</summary>
    public IList<(int Worker, DateTime At)> Kills { get; } = [];

    /// <summary>How many processes have died without a drain; only then may a task count a crash.</summary>
    public int Deaths { get; private set; }

    /// <summary>Creates a context on a connection of its own: a pooled one may have been killed with the server.</summary>
    public PlatformDbContext CreateContext() => PlatformDatabase.CreateContext($"{ConnectionString};Pooling=false");

    private string ConnectionString => settings.GetValueOrDefault("ConnectionStrings__Platform") ?? Database.ConnectionString;

    public static async Task<FaultSystem> StartAsync(int seed, double perSecond)
    {
        var database = await PrivateDatabase.CreateAsync(DatabaseFaults.ServerSettings);
        return await StartAsync(seed, perSecond, database, await PrivateBroker.CreateAsync());
    }

    /// <summary>Starts the services on these servers, which the system ends with itself.</summary>
    /// <param name="settings">Settings of the services, as environment variables, that differ from the ordinary ones.</param>
    public static async Task<FaultSystem> StartAsync(
        int seed,
        double perSecond,
        PrivateDatabase database,
        PrivateBroker broker,
        IReadOnlyDictionary<string, string>? settings = null
    )
    {
        var system = new FaultSystem(database, broker, settings);
        try
        {
            await system.StartApiAsync();
            for (var i = 0; i < Workers; i++)
            {
                await system.StartWorkerAsync();
            }

            system.Load = new Load(() => system.ApiAddress, seed, perSecond);
            return system;
        }
        catch
        {
            await system.DisposeAsync();
            throw;
        }
    }

    public async Task<ServiceProcess> StartWorkerAsync()
    {
        var worker = Start("worker");
        workers.Add(worker);
        await worker.WaitForOutputAsync("Application started", StartPatience);
        return worker;
    }

    /// <summary>Replaces a worker that is killed.</summary>
    public async Task KillWorkerAsync(ServiceProcess worker)
    {
        Deaths++;
        Forget(worker);
        Kills.Add((worker.Id, TimeProvider.System.GetUtcNow().UtcDateTime));
        await worker.KillAsync();
        await StartWorkerAsync();
    }

    /// <summary>Replaces a worker that is told to stop, as a rolling update does: the new one first.</summary>
    public async Task RollWorkerAsync(ServiceProcess worker)
    {
        await StartWorkerAsync();
        Forget(worker);
        worker.Terminate();
        (await worker.WaitForExitAsync(TimeSpan.FromSeconds(90))).ShouldBe(0, worker.Output);
    }

    /// <summary>Has three times as many workers for a while; then those that came are told to stop.</summary>
    public async Task TripleWorkersAsync(TimeSpan time)
    {
        var added = await Task.WhenAll(Enumerable.Range(0, 2 * Workers).Select(_ => StartWorkerAsync()));
        await Task.Delay(time, TimeProvider.System, TestContext.Current.CancellationToken);
        foreach (var worker in added)
        {
            Forget(worker);
            worker.Terminate();
        }

        foreach (var worker in added)
        {
            (await worker.WaitForExitAsync(TimeSpan.FromSeconds(90))).ShouldBe(0, worker.Output);
        }
    }

    /// <summary>Has a task kill its worker, and replaces the worker.</summary>
    /// <param name="step">The step of the task, which writes to its result file at each.</param>
    public async Task DieOfTaskAsync(int step)
    {
        Deaths++;
        await Load.SubmitAsync(name => SubmittedTask.OfSteps(name, dieAt: step));
        await Eventually.Async(() => workers.Exists(worker => worker.HasExited), StartPatience, "the task has killed its worker");
        var dead = workers.Find(worker => worker.HasExited)!;
        Forget(dead);
        await dead.KillAsync();
        await StartWorkerAsync();
    }

    /// <summary>Halts a worker in the middle of a bulk load: the server waits for its rows, and the task's row is locked.</summary>
    public async Task HaltInBulkLoadAsync(int rows, TimeSpan time)
    {
        ExpectDeath();
        var worker = await HaltInBulkLoadAsync(rows);
        await Task.Delay(time, TimeProvider.System, TestContext.Current.CancellationToken);
        worker.Resume();
    }

    private async Task<ServiceProcess> HaltInBulkLoadAsync(int rows)
    {
        for (var tries = 0; tries < MaxLoads; tries++)
        {
            var task = "";
            await Load.SubmitAsync(name => SubmittedTask.OfRows(task = name, rows));
            await Eventually.Async(() => workers.Exists(IsLoading), StartPatience, "the bulk load begins");
            var worker = workers.Find(IsLoading)!;
            await using var db = CreateContext();
            if (await DatabaseFaults.IsLoadingAsync(db, SortPatience))
            {
                worker.Pause();
                if (await DatabaseFaults.IsLoadingAsync(db, TimeSpan.Zero))
                {
                    return worker;
                }

                worker.Resume();
            }

            bool IsLoading(ServiceProcess process) => process.Output.Contains($"The bulk load of {task} begins.", StringComparison.Ordinal);
        }

        throw new InvalidOperationException($"No worker was halted in one of {MaxLoads} bulk loads.");
    }

    /// <summary>Records that a worker is about to be taken for dead although it lives.</summary>
    public void ExpectDeath() => Deaths++;

    public async Task ReplaceApiAsync(bool kill)
    {
        var old = Api;
        ended.Add(old);
        if (kill)
        {
            await old.KillAsync();
        }
        else
        {
            old.Terminate();
            (await old.WaitForExitAsync(TimeSpan.FromSeconds(90))).ShouldBe(0, old.Output);
        }

        await StartApiAsync();
    }

    /// <summary>The last lines of every process, for a test that failed.</summary>
    public string Describe() =>
        string.Join('\n', workers.Append(Api).Concat(ended).Where(p => p is not null).Select(p => $"--- process {p.Id}\n{Tail(p.Output)}"));

    public async ValueTask DisposeAsync()
    {
        if (Load is not null)
        {
            await Load.DisposeAsync();
        }

        foreach (var process in workers.Append(Api).Concat(ended).Where(p => p is not null))
        {
            await process.DisposeAsync();
        }

        foreach (var network in networks.Values)
        {
            await network.DisposeAsync();
        }

        await Broker.DisposeAsync();
        await Database.DisposeAsync();
    }

    private static string Tail(string text) => text.Length > 8_000 ? text[^8_000..] : text;

    private void Forget(ServiceProcess worker)
    {
        workers.Remove(worker);
        ended.Add(worker);
    }

    private async Task StartApiAsync()
    {
        Api = Start("api");
        ApiAddress = await Api.WaitForAddressAsync(StartPatience);
    }

    private ServiceProcess Start(string role)
    {
        if (!hasNetworks)
        {
            return Start(role, ConnectionString, Broker.Uri);
        }

        var network = new Network(ConnectionString, Broker.Uri);
        var process = Start(role, network.ConnectionString, network.BrokerUri);
        networks[process] = network;
        return process;
    }

    private ServiceProcess Start(string role, string connectionString, Uri broker) =>
        ServiceProcess.Start(
            "tests/FaultService",
            new Dictionary<string, string?>(settings.Select(s => KeyValuePair.Create<string, string?>(s.Key, s.Value)))
            {
                ["ConnectionStrings__Platform"] = DatabaseFaults.WithBulkLoads(connectionString),
                ["RabbitMq__Uri"] = broker.ToString(),
                ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
                ["Database__MaxPoolSize"] = role == "api" ? "10" : "20",
                ["Database__AcquireTimeout"] = role == "api" ? "00:00:02" : "00:00:15",
                ["HeavyTasks__MaxCrashes"] = "100",
                ["HeavyTasks__DrainTimeout"] = "00:00:02",
                ["HeavyTasks__Kinds__fault.count__Concurrency"] = "4",
                ["HeavyTasks__Kinds__fault.steps__Concurrency"] = "4",
                ["HeavyTasks__Kinds__fault.retry__RetryDelay"] = "00:00:00.5",
                ["Logging__LogLevel__Default"] = "Warning",
                ["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information",
                ["Logging__LogLevel__Microsoft.EntityFrameworkCore"] = "None",
            },
            role
        );
}

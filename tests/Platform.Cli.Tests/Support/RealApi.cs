using Platform.Support;

namespace Platform.Cli.Tests.Support;

/// <summary>The API as its own process with a database of its own, without a broker and workers: nothing begins the tasks.</summary>
public sealed class RealApi : IAsyncLifetime
{
    private TestDatabase? database;
    private ServiceProcess? process;

    /// <summary>The address that the API listens on.</summary>
    public string Url { get; private set; } = "";

    /// <summary>The database, to arrange what workers would do.</summary>
    public TestDatabase Database => database!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        process = ServiceProcess.Start(
            "services/Api",
            new Dictionary<string, string?>
            {
                ["ConnectionStrings__Platform"] = database.ConnectionString,
                ["RabbitMq__Uri"] = "amqp://127.0.0.1:1/",
                ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
                ["ASPNETCORE_ENVIRONMENT"] = "Production",
            }
        );
        Url = (await process.WaitForAddressAsync(TimeSpan.FromSeconds(60))).ToString().TrimEnd('/');
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            await process.DisposeAsync();
        }

        if (database is not null)
        {
            await database.DisposeAsync();
        }
    }

    /// <summary>Runs a command with the key of an administrator.</summary>
    internal Task<CliRun> RunAsync(params string[] args) => RunWithAsync(TestKey.Value, args);

    /// <summary>Runs a command with another key.</summary>
    internal Task<CliRun> RunWithAsync(string key, params string[] args)
    {
        var surroundings = Keys.With(key: key);
        surroundings.Environment["PLATFORM_URL"] = Url;
        return CliRun.RunAsync(surroundings, args);
    }
}

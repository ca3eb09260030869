using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Support;

/// <summary>
/// A database server of a test's own, to stop, kill and start again, with one migrated, otherwise empty database. The start takes
/// about two seconds: where the server itself is not the subject, use <see cref="TestDatabase"/>.
/// </summary>
public sealed class PrivateDatabase : IAsyncDisposable
{
    private readonly string folder = Servers.NewFolder(DatabaseServer.Kind);
    private readonly string[] settings;

    private PrivateDatabase(string[] settings) => this.settings = settings;

    /// <summary>Connection string of the migrated database; the same after each start.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>Makes and starts the server.</summary>
    /// <param name="settings">Settings of the server, such as <c>max_connections=20</c>.</param>
    public static async Task<PrivateDatabase> CreateAsync(params string[] settings)
    {
        var database = new PrivateDatabase(settings);
        try
        {
            await database.StartAsync();
            await using var db = database.CreateContext();
            await db.Database.MigrateAsync();
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the stopped or killed server again, on the same port with the same data.</summary>
    /// <exception cref="InvalidOperationException">It did not start, or somebody else has its port meanwhile.</exception>
    public async Task StartAsync()
    {
        var server = await Servers.RunScriptAsync(["start", DatabaseServer.Kind, folder, .. settings]);
        var connectionString = DatabaseServer.ConnectionStringOf(server["admin"], "platform");
        if (ConnectionString.Length > 0 && ConnectionString != connectionString)
        {
            throw new InvalidOperationException("Another process took the server's port while it was down.");
        }

        ConnectionString = connectionString;
    }

    /// <summary>Stops the server gracefully, as an operator does; open connections are closed.</summary>
    public Task StopAsync() => Servers.RunScriptAsync("stop", DatabaseServer.Kind, folder);

    /// <summary>SIGKILL for the server and all its processes.</summary>
    public Task KillAsync() => Servers.RunScriptAsync("kill", DatabaseServer.Kind, folder);

    /// <summary>Stops and starts.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>A new context to arrange and to look with. The caller disposes it.</summary>
    public PlatformDbContext CreateContext() => PlatformDatabase.CreateContext(ConnectionString);

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        if (ConnectionString.Length > 0)
        {
            DatabaseServer.ClearPool(ConnectionString);
        }

        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

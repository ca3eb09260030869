using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Support;

/// <summary>
/// A database server that one test can stop, kill and start again, with one migrated and otherwise empty database. The start takes about
/// two seconds: unless the server itself is the subject of the test, use <see cref="TestDatabase"/>.
/// </summary>
public sealed class PrivateDatabase : IAsyncDisposable
{
    private readonly string folder;
    private readonly string[] settings;

    private PrivateDatabase(string folder, string[] settings) => (this.folder, this.settings) = (folder, settings);

    /// <summary>Connection string of the migrated database; the same after each start.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>Creates and starts the server.</summary>
    /// <param name="settings">Settings of the server, such as <c>max_connections=20</c>.</param>
    public static Task<PrivateDatabase> CreateAsync(params string[] settings) =>
        CreateInAsync(Servers.NewFolder(DatabaseServer.Kind), settings);

    /// <summary>Creates and starts a server that takes TLS only, with a certificate for these names.</summary>
    public static Task<PrivateDatabase> CreateEncryptedAsync(TestAuthority authority, params IEnumerable<string> names)
    {
        ArgumentNullException.ThrowIfNull(authority);
        return CreateInAsync(authority.Certify(Servers.NewFolder(DatabaseServer.Kind), names));
    }

    /// <summary>A connection string that asks for TLS, and for a certificate of the host that an authority of the file has signed.</summary>
    public string Verified(string host, string authorities) => DatabaseServer.VerifiedConnectionString(ConnectionString, host, authorities);

    /// <summary>A connection string that asks for no TLS.</summary>
    public string Unencrypted() => DatabaseServer.UnencryptedConnectionString(ConnectionString);

    /// <summary>Creates and starts the server in a folder that may hold files of it already.</summary>
    public static async Task<PrivateDatabase> CreateInAsync(string folder, params string[] settings)
    {
        var database = new PrivateDatabase(folder, settings);
        try
        {
            await database.StartAsync();
            await using var db = database.CreateContext();
            await db.Database.MigrateAsync();
            await db.Database.ExecuteSqlRawAsync(DatabaseServer.AddTestKey);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a second server that follows this one, as a standby does. PostgreSQL only.</summary>
    public async Task<PrivateDatabase> FollowAsync()
    {
        var standby = new PrivateDatabase(Servers.NewFolder(DatabaseServer.Kind), settings);
        try
        {
            await Servers.RunScriptAsync("copy", DatabaseServer.Kind, standby.folder, folder);
            await standby.StartAsync();
            return standby;
        }
        catch
        {
            await standby.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the stopped or killed server again, on the same port with the same data.</summary>
    /// <exception cref="InvalidOperationException">The server did not start, or another process has taken its port.</exception>
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

    /// <summary>Kills the server and all its processes with SIGKILL.</summary>
    public Task KillAsync() => Servers.RunScriptAsync("kill", DatabaseServer.Kind, folder);

    /// <summary>Stops and starts the server.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>Creates a context to arrange and inspect data with. The caller disposes it.</summary>
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

namespace Platform.Support;

/// <summary>
/// The users of the services that <c>deploy/roles</c> makes, in one database, under names that no other test has. Dispose it after the
/// database: a role that may use something cannot be dropped.
/// </summary>
public sealed class DatabaseRoles : IAsyncDisposable
{
    private readonly string connectionString;
    private readonly string prefix = $"r{Guid.NewGuid():N}"[..9] + "_";

    private DatabaseRoles(string connectionString) => this.connectionString = connectionString;

    /// <summary>Connection string of the user that owns the tables.</summary>
    public string Migrate => ConnectionStringOf("migrate");

    /// <summary>Connection string of the Api.</summary>
    public string Api => ConnectionStringOf("api");

    /// <summary>Connection string of workers.</summary>
    public string Worker => ConnectionStringOf("worker");

    /// <summary>Connection string of the Dashboard.</summary>
    public string Dashboard => ConnectionStringOf("dashboard");

    /// <summary>Makes the users, who may not use a table yet.</summary>
    /// <param name="connectionString">The database, as an administrator.</param>
    public static async Task<DatabaseRoles> CreateAsync(string connectionString)
    {
        var roles = new DatabaseRoles(connectionString);
        await DatabaseServer.ExecuteAsync(connectionString, roles.Read("users.sql"));
        foreach (var name in roles.Names)
        {
            await DatabaseServer.ExecuteAsync(connectionString, DatabaseServer.SetPassword(name, PasswordOf(name)));
        }

        return roles;
    }

    /// <summary>Says what each service may do with each table. The tables must be there.</summary>
    /// <param name="owner">The database, as the owner of the tables or an administrator.</param>
    public Task GrantAsync(string owner) => DatabaseServer.ExecuteAsync(owner, Read("rights.sql"));

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var name in Names)
        {
            await DatabaseServer.DropUserAsync(Servers.Database, name);
        }
    }

    private IEnumerable<string> Names => new[] { "migrate", "api", "worker", "dashboard" }.Select(service => prefix + service);

    // Nobody but this machine reaches the server, and the users are gone when the test is over.
    private static string PasswordOf(string name) => $"of-{name}-{name.Length}";

    private string ConnectionStringOf(string service) =>
        DatabaseServer.ConnectionStringAs(connectionString, prefix + service, PasswordOf(prefix + service));

    private string Read(string file) =>
        File.ReadAllText(Path.Combine(Repository.Root, "deploy", "roles", DatabaseServer.Kind, file))
            .Replace("platform_", prefix, StringComparison.Ordinal);
}

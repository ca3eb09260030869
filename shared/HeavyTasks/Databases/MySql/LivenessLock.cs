using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using MySqlConnector;

namespace Platform.HeavyTasks;

/// <summary>
/// A named lock (<c>GET_LOCK</c>) on one direct, unpooled connection (<c>ConnectionStrings:PlatformDirect</c>, default the ordinary
/// one). The server frees it the moment the process dies, so others learn of a death long before its lease ends. Others ask
/// <c>IS_FREE_LOCK</c>, which does not acquire. Such locks belong to one server: with several that are written to, the lease alone decides.
/// </summary>
internal sealed class LivenessLock(InstanceIdentity instance, IConfiguration configuration, IOptions<DatabaseOptions> options)
    : IAsyncDisposable
{
    // Longest name of a lock is 64 characters, of which the id takes 32 and the colon one.
    private const int MaxScopeLength = 31;
    private const int HashLength = 16;

    private MySqlConnection? connection;

    /// <summary>Whether the lock was held when last looked.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>Acquires the lock, or proves that it is still held.</summary>
    /// <exception cref="MySqlException">The server cannot be reached.</exception>
    public async Task KeepAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (connection is null)
            {
                connection = new MySqlConnection(DirectConnectionString());
                await connection.OpenAsync(cancellationToken);
            }

            if (IsHeld)
            {
                await using var probe = new MySqlCommand("SELECT 1", connection);
                await probe.ExecuteScalarAsync(cancellationToken);
            }
            else
            {
                // Refused as long as the server has not noticed that an earlier connection of this process is gone.
                await using var acquire = new MySqlCommand("SELECT GET_LOCK(@name, 0)", connection);
                acquire.Parameters.AddWithValue("@name", NameOf(connection.Database, instance.Id.ToString("N")));
                IsHeld = await acquire.ExecuteScalarAsync(cancellationToken) is 1L or 1;
            }
        }
        catch
        {
            await ReleaseAsync();
            throw;
        }
    }

    /// <summary>Gives the lock up.</summary>
    public async Task ReleaseAsync()
    {
        IsHeld = false;
        if (connection is { } open)
        {
            connection = null;
            await open.DisposeAsync();
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync() => await ReleaseAsync();

    /// <summary>Those of the instances whose lock nobody holds.</summary>
    public static async Task<HashSet<Guid>> FindFreeAsync(
        DbContext db,
        IReadOnlyCollection<Guid> instances,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(db);
        ArgumentNullException.ThrowIfNull(instances);
        if (instances.Count == 0)
        {
            return [];
        }

        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            var open = (MySqlConnection)db.Database.GetDbConnection();
            var ids = instances.ToArray();
            await using var command = open.CreateCommand();
            command.CommandText = $"SELECT {string.Join(", ", ids.Select(_ => "IS_FREE_LOCK(?)"))}";
            foreach (var id in ids)
            {
                command.Parameters.Add(new MySqlParameter { Value = NameOf(open.Database, id.ToString("N")) });
            }

            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            return [.. ids.Where((_, index) => !reader.IsDBNull(index) && reader.GetInt64(index) == 1)];
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    // Locks are the server's, not the database's, so the name says whose it is; a name too long for that ends in its hash.
    internal static string NameOf(string database, string holder)
    {
        var scope =
            database.Length <= MaxScopeLength
                ? database
                : database[..(MaxScopeLength - HashLength - 1)]
                    + '~'
                    + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(database)))[..HashLength];
        return $"{scope}:{holder}";
    }

    private string DirectConnectionString()
    {
        var text = ConnectionStrings.DirectOf(configuration, options.Value);
        return new MySqlConnectionStringBuilder(text)
        {
            ApplicationName = $"{instance.Service}-liveness",
            Pooling = false,
            ConnectionTimeout = 5,
            DefaultCommandTimeout = 5,
        }.ConnectionString;
    }
}

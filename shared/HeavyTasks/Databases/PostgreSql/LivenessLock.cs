using System.Buffers.Binary;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Platform.HeavyTasks;

/// <summary>
/// A session advisory lock on one direct, unpooled connection (<c>ConnectionStrings:PlatformDirect</c>, default the ordinary one). The
/// server frees it the moment the process dies, so others learn of a death long before its lease ends. Others look in
/// <c>pg_locks</c> without acquiring.
/// </summary>
internal sealed class LivenessLock(InstanceIdentity instance, IConfiguration configuration, IOptions<DatabaseOptions> options)
    : IAsyncDisposable
{
    private NpgsqlConnection? connection;

    /// <summary>Whether the lock was held when last looked.</summary>
    public bool IsHeld { get; private set; }

    /// <summary>Acquires the lock, or proves that it is still held.</summary>
    /// <exception cref="NpgsqlException">The server cannot be reached.</exception>
    public async Task KeepAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (connection is null)
            {
                connection = new NpgsqlConnection(DirectConnectionString());
                await connection.OpenAsync(cancellationToken);
            }

            if (IsHeld)
            {
                await using var probe = new NpgsqlCommand("SELECT 1", connection);
                await probe.ExecuteScalarAsync(cancellationToken);
            }
            else
            {
                // Refused as long as the server has not noticed that an earlier connection of this process is gone.
                await using var acquire = new NpgsqlCommand("SELECT pg_try_advisory_lock($1)", connection)
                {
                    Parameters = { new() { Value = Key(instance.Id) } },
                };
                IsHeld = (bool)(await acquire.ExecuteScalarAsync(cancellationToken))!;
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
        var held = await db
            .Database.SqlQuery<long>(
                $"""
                SELECT (classid::bigint << 32) | objid::bigint AS "Value" FROM pg_locks
                WHERE locktype = 'advisory' AND objsubid = 1 AND granted
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                """
            )
            .ToListAsync(cancellationToken);
        var heldKeys = held.ToHashSet();
        return instances.Where(id => !heldKeys.Contains(Key(id))).ToHashSet();
    }

    // A version 7 id is time in front and random bits behind; the last eight bytes are the random ones.
    private static long Key(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadInt64BigEndian(bytes[8..]);
    }

    private string DirectConnectionString()
    {
        var text = ConnectionStrings.DirectOf(configuration, options.Value);
        return new NpgsqlConnectionStringBuilder(text)
        {
            ApplicationName = $"{instance.Service}-liveness",
            Pooling = false,
            Timeout = 5,
            CommandTimeout = 5,
            Options = null,
        }.ConnectionString;
    }
}

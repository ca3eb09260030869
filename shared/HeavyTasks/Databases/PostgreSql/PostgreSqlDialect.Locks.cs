using System.Buffers.Binary;
using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Platform.HeavyTasks;

internal sealed partial class PostgreSqlDialect
{
    public DbConnection CreateUnpooledConnection(string connectionString, string? applicationName, TimeSpan? timeout)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = false,
            CommandTimeout = (int)(timeout?.TotalSeconds ?? 0),
            Options = null,
        };
        if (builder.Host?.Contains(',') == true)
        {
            // A standby gives session locks of its own, which would prove nothing.
            builder.TargetSessionAttributes ??= "primary";
        }

        builder.ApplicationName = applicationName ?? builder.ApplicationName;
        builder.Timeout = (int)(timeout?.TotalSeconds ?? builder.Timeout);
        return new NpgsqlConnection(builder.ConnectionString);
    }

    public async Task<bool> TryLockAsync(DbConnection connection, Guid instance, CancellationToken cancellationToken)
    {
        await using var acquire = new NpgsqlCommand(SessionLockStatements.PostgreSql.TryAcquire, (NpgsqlConnection)connection)
        {
            Parameters = { new() { Value = LockKey(instance) } },
        };
        return (bool)(await acquire.ExecuteScalarAsync(cancellationToken))!;
    }

    public async Task<bool> HoldsLockAsync(DbConnection connection, Guid instance, CancellationToken cancellationToken)
    {
        await using var prove = new NpgsqlCommand(SessionLockStatements.PostgreSql.IsMine, (NpgsqlConnection)connection)
        {
            Parameters = { new() { Value = LockKey(instance) } },
        };
        return (bool)(await prove.ExecuteScalarAsync(cancellationToken))!;
    }

    public async Task<int> EndSessionsThatLockAsync(DbContext db, DbContext other, Guid owner, CancellationToken cancellationToken)
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var end = new NpgsqlCommand(
                LockStatements.EndLockersOnPostgreSql(EngineTables.Of(db)),
                (NpgsqlConnection)db.Database.GetDbConnection()
            )
            {
                Parameters = { new() { Value = owner } },
            };
            return Convert.ToInt32(await end.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture);
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    public async Task LockMigrationsAsync(DbConnection connection, CancellationToken cancellationToken)
    {
        // The transaction ends with the connection.
        var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = SessionLockStatements.PostgreSql.AcquireForMigrations;
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task<HashSet<Guid>> FindUnlockedAsync(
        DbContext db,
        IReadOnlyCollection<Guid> instances,
        CancellationToken cancellationToken
    )
    {
        if (instances.Count == 0)
        {
            return [];
        }

        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand(
                SessionLockStatements.PostgreSql.Held,
                (NpgsqlConnection)db.Database.GetDbConnection()
            );
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var held = new HashSet<long>();
            while (await reader.ReadAsync(cancellationToken))
            {
                held.Add(reader.GetInt64(0));
            }

            return [.. instances.Where(id => !held.Contains(LockKey(id)))];
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    // A version 7 id begins with the time and ends with random bits; the last eight bytes are random.
    private static long LockKey(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        return BinaryPrimitives.ReadInt64BigEndian(bytes[8..]);
    }
}

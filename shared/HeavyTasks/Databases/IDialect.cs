using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks;

/// <summary>
/// What the engine needs from a database and each database does in its own way. An implementation must pass <c>tests/Databases.Tests</c>.
/// Where databases differ only in the text of a statement, the texts stand side by side in <c>Databases/Statements</c>.
/// </summary>
internal interface IDialect
{
    /// <summary>The value of <c>DatabaseProvider</c> that builds for this database.</summary>
    string Name { get; }

    /// <summary>The name of the driver's traces and of its meter.</summary>
    string TelemetryName { get; }

    /// <summary>The SQL that reads the server's clock (<see cref="Clock"/>).</summary>
    string Now { get; }

    /// <summary>Whether a database can have schemas that contain tables.</summary>
    bool HasSchemas { get; }

    /// <summary>The instruments by which the driver's meter reports the pool.</summary>
    PoolInstruments Pool { get; }

    // --- The context ------------------------------------------------------------------------------------------------------------

    /// <summary>
    /// Adds what the engine's tables need on this database: collations, indexes, and SQL for <see cref="DatabaseClock"/>.
    /// </summary>
    void ConfigureModel(ModelBuilder modelBuilder);

    /// <summary>Configures a context of the engine on a connection string, for tools such as <c>migrate</c>.</summary>
    DbContextOptionsBuilder Configure(DbContextOptionsBuilder options, string connectionString);

    /// <summary>
    /// Adds this process's pool, under this name at the server and with the limits of <see cref="DatabaseOptions"/>, and the context that
    /// uses it.
    /// </summary>
    void AddContext<TDbContext>(IServiceCollection services, string applicationName, Action<IServiceCollection>? addEntityFrameworkServices)
        where TDbContext : DbContext;

    /// <summary>
    /// Adds the interceptors that the engine's statements need on any context, including one that the application registered.
    /// </summary>
    DbContextOptionsBuilder AddInterceptors(DbContextOptionsBuilder options);

    /// <summary>
    /// Finds the settings that are missing from the connection string of a context that the application registered; null when none are.
    /// </summary>
    string? FindMissingSettings(DbContext db);

    /// <summary>
    /// The transaction behaviour by which a <c>SaveChanges</c> that only inserts a few rows, with keys known in advance, writes all or none
    /// of them in the fewest round trips.
    /// </summary>
    AutoTransactionBehavior OneBatchOfInserts { get; }

    // --- What an error means ----------------------------------------------------------------------------------------------------

    /// <summary>Whether the error means that a unique key exists already.</summary>
    bool IsDuplicateKey(DbUpdateException exception);

    /// <summary>Whether the error means that a row that another one refers to does not exist.</summary>
    bool IsMissingReference(DbUpdateException exception);

    /// <summary>
    /// Whether the error means that the server ended a transaction in favour of another: by a deadlock, a serialization failure, or a wait
    /// for a lock that took too long. The caller must still roll the transaction back, and may then try it again at once.
    /// </summary>
    bool IsConflict(Exception exception);

    /// <summary>
    /// Whether a client should try again later: no connection could be had in time (the pool is in use, or the server does not answer), the
    /// server went away, or the error is a conflict (<see cref="IsConflict"/>).
    /// </summary>
    bool IsTransient(Exception exception);

    /// <summary>Whether the error means that a statement named a table or a column that does not exist.</summary>
    bool IsSchemaError(Exception exception);

    /// <summary>Whether the error means that the user of the connection may not use a table, or a column of it.</summary>
    bool IsRefused(Exception exception);

    // --- Tasks ------------------------------------------------------------------------------------------------------------------

    /// <summary>
    /// Claims a task for an owner: Queued to Running, with the record of the attempt, all or nothing. Uses a connection of the context,
    /// outside the context's transactions. Waits for whoever has locked the task.
    /// </summary>
    /// <returns>The claimed task, or null when it is not queued (any more): the message that led here is a duplicate, or late.</returns>
    Task<ClaimedHeavyTask?> ClaimAsync(DbContext db, Guid taskId, Guid owner, string worker, CancellationToken cancellationToken);

    /// <summary>Claims those of the tasks that are queued and not locked at this moment. Does not wait.</summary>
    Task<List<ClaimedHeavyTask>> ClaimAsync(DbContext db, Guid[] taskIds, Guid owner, string worker, CancellationToken cancellationToken);

    /// <summary>
    /// Completes a task: Running to Succeeded, together with the tracked changes of the context, in one transaction that is tried again on
    /// a conflict.
    /// </summary>
    /// <exception cref="HeavyTaskFenceException">The task no longer belongs to this attempt; nothing was saved.</exception>
    Task CompleteAsync(
        DbContext db,
        HeavyTaskFence fence,
        HeavyTaskSuccess success,
        TimeProvider time,
        CancellationToken cancellationToken
    );

    // --- Files ------------------------------------------------------------------------------------------------------------------

    /// <summary>The statement that writes a chunk of an upload that has not expired (<see cref="FileChunks"/>).</summary>
    string WriteChunk(EngineTables tables);

    // --- Kinds ------------------------------------------------------------------------------------------------------------------

    /// <summary>The statement that writes the row of a kind, new or not (<see cref="KindAnnouncer"/>).</summary>
    string AnnounceKind(EngineTables tables);

    // --- Sessions and the server ------------------------------------------------------------------------------------------------

    /// <summary>Creates a connection outside any pool, not yet open, with this name at the server.</summary>
    /// <param name="connectionString">The connection string.</param>
    /// <param name="applicationName">The name that the server shows; null to use the name in the connection string.</param>
    /// <param name="timeout">The limit for opening and for each statement, in whole seconds. Null: statements have no limit.</param>
    DbConnection CreateUnpooledConnection(string connectionString, string? applicationName, TimeSpan? timeout);

    /// <summary>
    /// Acquires the liveness lock of an instance for the session of this open connection, if no session holds the lock. Does not wait.
    /// </summary>
    Task<bool> TryLockAsync(DbConnection connection, Guid instance, CancellationToken cancellationToken);

    /// <summary>Whether the session of this connection holds the liveness lock of an instance.</summary>
    Task<bool> HoldsLockAsync(DbConnection connection, Guid instance, CancellationToken cancellationToken);

    /// <summary>Finds the instances whose liveness lock no session holds. Acquires nothing.</summary>
    Task<HashSet<Guid>> FindUnlockedAsync(DbContext db, IReadOnlyCollection<Guid> instances, CancellationToken cancellationToken);

    /// <summary>
    /// Ends the other sessions of this user that hold locks on running tasks of an owner. It finds only what this user may see.
    /// </summary>
    /// <param name="db">Uses a connection of this context.</param>
    /// <param name="other">A second context, in case one connection must wait while the other looks.</param>
    /// <param name="owner">The owner.</param>
    /// <param name="cancellationToken">Ends the statements.</param>
    /// <returns>The number of sessions.</returns>
    Task<int> EndSessionsThatLockAsync(DbContext db, DbContext other, Guid owner, CancellationToken cancellationToken);

    /// <summary>Acquires the migration lock of this database until the connection is closed. Waits for whoever holds it.</summary>
    /// <exception cref="TimeoutException">Another process held the lock for days.</exception>
    Task LockMigrationsAsync(DbConnection connection, CancellationToken cancellationToken);

    /// <summary>The number that the server gave to the session of an open connection; 0 if the driver does not tell it.</summary>
    long SessionOf(DbConnection connection);

    /// <summary>
    /// Tells, for each of these sessions that the server knows, how long nothing has run on it; null while a statement runs. Returns
    /// nothing at all if a pooler stands between, because its session numbers are not the server's.
    /// </summary>
    Task<IReadOnlyDictionary<long, TimeSpan?>> ReadIdleSessionsAsync(
        DbConnection connection,
        long[] sessions,
        CancellationToken cancellationToken
    );

    /// <summary>Reads the server's clock (UTC).</summary>
    Task<DateTime> ReadClockAsync(DbContext db, CancellationToken cancellationToken);

    /// <summary>Reads how many connections the server accepts.</summary>
    Task<ConnectionLimit> ReadConnectionLimitAsync(DbContext db, CancellationToken cancellationToken);
}

using System.Data.Common;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>
/// Records who holds the connections of this process's pool. This costs one small object each time a connection is taken, and no lock after
/// a context's first connection.
/// </summary>
/// <remarks>
/// It sees only contexts added by <see cref="HeavyTaskServiceCollectionExtensions.AddHeavyTaskDatabase"/>, and only statements that go
/// through Entity Framework. It does not see the driver's own commands, which is why <see cref="ConnectionHoldWatch"/> asks the server.
/// </remarks>
internal sealed class ConnectionHolders(TimeProvider time) : IDbConnectionInterceptor, IDbCommandInterceptor
{
    // Weak references: a forgotten connection must stay garbage, because the driver takes back connections that the collector has found. A
    // context's connection has one entry, however often it is opened.
    private readonly ConditionalWeakTable<DbConnection, Slot> slots = [];

    /// <summary>The connections that are held now.</summary>
    public IEnumerable<HeldConnection> All => slots.Select(entry => entry.Value.Held).OfType<HeldConnection>();

    /// <summary>The connections that are held now, the longest held first.</summary>
    public IEnumerable<HeldConnection> Longest => All.OrderBy(held => held.Since);

    /// <summary>How long a connection has been held.</summary>
    public TimeSpan Held(HeldConnection connection) => time.GetElapsedTime(connection.Since);

    public void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Took(connection);

    public Task ConnectionOpenedAsync(
        DbConnection connection,
        ConnectionEndEventData eventData,
        CancellationToken cancellationToken = default
    )
    {
        Took(connection);
        return Task.CompletedTask;
    }

    public void ConnectionClosed(DbConnection connection, ConnectionEndEventData eventData) => GaveBack(connection);

    public Task ConnectionClosedAsync(DbConnection connection, ConnectionEndEventData eventData)
    {
        GaveBack(connection);
        return Task.CompletedTask;
    }

    // A context that is disposed while its connection is open disposes the connection without closing it first.
    public void ConnectionDisposed(DbConnection connection, ConnectionEndEventData eventData) => GaveBack(connection);

    public Task ConnectionDisposedAsync(DbConnection connection, ConnectionEndEventData eventData)
    {
        GaveBack(connection);
        return Task.CompletedTask;
    }

    public InterceptionResult<DbDataReader> ReaderExecuting(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<DbDataReader> result
    )
    {
        Began(command);
        return result;
    }

    public ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<DbDataReader> result,
        CancellationToken cancellationToken = default
    )
    {
        Began(command);
        return ValueTask.FromResult(result);
    }

    // The statement ends with its reader: it runs while rows are read.
    public InterceptionResult DataReaderDisposing(DbCommand command, DataReaderDisposingEventData eventData, InterceptionResult result)
    {
        Ended(command);
        return result;
    }

    public InterceptionResult<object> ScalarExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<object> result)
    {
        Began(command);
        return result;
    }

    public ValueTask<InterceptionResult<object>> ScalarExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<object> result,
        CancellationToken cancellationToken = default
    )
    {
        Began(command);
        return ValueTask.FromResult(result);
    }

    public object? ScalarExecuted(DbCommand command, CommandExecutedEventData eventData, object? result)
    {
        Ended(command);
        return result;
    }

    public ValueTask<object?> ScalarExecutedAsync(
        DbCommand command,
        CommandExecutedEventData eventData,
        object? result,
        CancellationToken cancellationToken = default
    )
    {
        Ended(command);
        return ValueTask.FromResult(result);
    }

    public InterceptionResult<int> NonQueryExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<int> result)
    {
        Began(command);
        return result;
    }

    public ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<int> result,
        CancellationToken cancellationToken = default
    )
    {
        Began(command);
        return ValueTask.FromResult(result);
    }

    public int NonQueryExecuted(DbCommand command, CommandExecutedEventData eventData, int result)
    {
        Ended(command);
        return result;
    }

    public ValueTask<int> NonQueryExecutedAsync(
        DbCommand command,
        CommandExecutedEventData eventData,
        int result,
        CancellationToken cancellationToken = default
    )
    {
        Ended(command);
        return ValueTask.FromResult(result);
    }

    public void CommandCanceled(DbCommand command, CommandEndEventData eventData) => Ended(command);

    public Task CommandCanceledAsync(DbCommand command, CommandEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Ended(command);
        return Task.CompletedTask;
    }

    public void CommandFailed(DbCommand command, CommandErrorEventData eventData) => Ended(command);

    public Task CommandFailedAsync(DbCommand command, CommandErrorEventData eventData, CancellationToken cancellationToken = default)
    {
        Ended(command);
        return Task.CompletedTask;
    }

    private void Took(DbConnection connection)
    {
        var holder = CurrentWork.Value;
        if (holder is RequestWork request)
        {
            request.Remember();
        }

        slots.GetValue(connection, static _ => new Slot()).Held = new HeldConnection(
            holder ?? Activity.Current?.DisplayName,
            time.GetTimestamp(),
            Dialect.Current.SessionOf(connection)
        );
    }

    private void GaveBack(DbConnection connection)
    {
        if (slots.TryGetValue(connection, out var slot))
        {
            slot.Held = null;
        }
    }

    private void Began(DbCommand command) => Find(command)?.StatementBegan();

    private void Ended(DbCommand command) => Find(command)?.StatementEnded(time.GetTimestamp());

    private HeldConnection? Find(DbCommand command) =>
        command.Connection is { } connection && slots.TryGetValue(connection, out var slot) ? slot.Held : null;

    private sealed class Slot
    {
        private volatile HeldConnection? held;

        public HeldConnection? Held
        {
            get => held;
            set => held = value;
        }
    }
}

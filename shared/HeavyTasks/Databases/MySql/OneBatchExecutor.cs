using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MySqlConnector;

namespace Platform.HeavyTasks;

/// <summary>A statement that a SaveChanges executes first, in the same transaction.</summary>
/// <param name="Text">One or more statements that return no rows.</param>
/// <param name="Parameters">Their parameters. Entity Framework names its own <c>@p0</c> and so on.</param>
internal sealed record FirstStatement(string Text, IReadOnlyList<(string Name, object? Value)> Parameters)
{
    public void AddTo(DbCommand command)
    {
        foreach (var (name, value) in Parameters)
        {
            command.Parameters.Add(new MySqlParameter(name, value));
        }
    }
}

/// <summary>
/// Executes a SaveChanges that only inserts and needs one command in one round trip: the batch contains the beginning and the end of the
/// transaction. Entity Framework would take three round trips.
/// </summary>
/// <remarks>
/// A save requests it by <see cref="AutoTransactionBehavior.Never"/> or by a <see cref="First"/> statement. A save that also updates or
/// deletes gets a transaction of Entity Framework instead, because only the client sees that such a row was not found, and by then the
/// batch would have committed.
/// </remarks>
internal sealed class OneBatchExecutor(IBatchExecutor inner, ICurrentDbContext current) : IBatchExecutor
{
    private bool isFramed;

    /// <summary>The statement that the next saves of this context execute first.</summary>
    public FirstStatement? First { get; set; }

    private DatabaseFacade Database => current.Context.Database;

    /// <summary>The executor of a context that AddHeavyTaskDatabase registered.</summary>
    public static OneBatchExecutor Of(DbContext db) => (OneBatchExecutor)db.GetService<IBatchExecutor>();

    public int Execute(IEnumerable<ModificationCommandBatch> commandBatches, IRelationalConnection connection)
    {
        if (First is not null)
        {
            throw new NotSupportedException("A save with a first statement is asynchronous.");
        }

        // A context that was told to do without a transaction relies on this class for one, which only asynchronous saves get.
        var behavior = Database.AutoTransactionBehavior;
        Database.AutoTransactionBehavior = behavior == AutoTransactionBehavior.Never ? AutoTransactionBehavior.WhenNeeded : behavior;
        try
        {
            return inner.Execute(commandBatches, connection);
        }
        finally
        {
            Database.AutoTransactionBehavior = behavior;
        }
    }

    public async Task<int> ExecuteAsync(
        IEnumerable<ModificationCommandBatch> commandBatches,
        IRelationalConnection connection,
        CancellationToken cancellationToken = default
    )
    {
        var behavior = Database.AutoTransactionBehavior;
        if (First is null && (behavior != AutoTransactionBehavior.Never || connection.CurrentTransaction is not null))
        {
            return await inner.ExecuteAsync(commandBatches, connection, cancellationToken);
        }

        using var batches = commandBatches.GetEnumerator();
        if (!batches.MoveNext())
        {
            return 0;
        }

        try
        {
            Database.AutoTransactionBehavior = AutoTransactionBehavior.Never;
            return connection.CurrentTransaction is null && IsOneOfInserts(batches.Current)
                ? await ExecuteFramedAsync(batches.Current, connection, cancellationToken)
                : await ExecuteInTransactionAsync(Rest(batches), connection, cancellationToken);
        }
        finally
        {
            Database.AutoTransactionBehavior = behavior;
        }
    }

    /// <summary>Adds the beginning and the end of the transaction to a batch.</summary>
    public void Frame(DbCommand command)
    {
        if (!isFramed)
        {
            return;
        }

        First?.AddTo(command);
        var transaction = $"START TRANSACTION;\n{First?.Text}\n{command.CommandText.AsSpan().TrimEnd().TrimEnd(';')};\nCOMMIT";

        // The server answers each separate statement, and each answer wakes the client. It answers a block once.
        command.CommandText = command.Connection!.ServerVersion.Contains("MariaDB", StringComparison.OrdinalIgnoreCase)
            ? $"BEGIN NOT ATOMIC\n{transaction};\nEND"
            : transaction;
    }

    private static bool IsOneOfInserts(ModificationCommandBatch batch) =>
        Dialect.Current.OneBatchOfInserts == AutoTransactionBehavior.Never
        && !batch.AreMoreBatchesExpected
        && batch.ModificationCommands.All(c => c.EntityState == EntityState.Added);

    // The next batch is created after the one before has been executed, because it may need keys that the database created.
    private static IEnumerable<ModificationCommandBatch> Rest(IEnumerator<ModificationCommandBatch> batches)
    {
        do
        {
            yield return batches.Current;
        } while (batches.MoveNext());
    }

    private async Task<int> ExecuteFramedAsync(
        ModificationCommandBatch batch,
        IRelationalConnection connection,
        CancellationToken cancellationToken
    )
    {
        await connection.OpenAsync(cancellationToken);
        isFramed = true;
        try
        {
            return await inner.ExecuteAsync([batch], connection, cancellationToken);
        }
        catch
        {
            // The server stopped at the failed statement, and the transaction is still open: the connection's next user would continue it.
            await RollBackAsync((MySqlConnection)connection.DbConnection);
            throw;
        }
        finally
        {
            isFramed = false;
            await connection.CloseAsync();
        }
    }

    private async Task<int> ExecuteInTransactionAsync(
        IEnumerable<ModificationCommandBatch> batches,
        IRelationalConnection connection,
        CancellationToken cancellationToken
    )
    {
        var own = connection.CurrentTransaction is null ? await connection.BeginTransactionAsync(cancellationToken) : null;
        await using (own)
        {
            if (First is { } first)
            {
                await using var command = connection.DbConnection.CreateCommand();
                command.Transaction = connection.CurrentTransaction!.GetDbTransaction();
                command.CommandText = first.Text;
                first.AddTo(command);
                await command.ExecuteNonQueryAsync(cancellationToken);
            }

            var rows = await inner.ExecuteAsync(batches, connection, cancellationToken);
            if (own is not null)
            {
                await own.CommitAsync(cancellationToken);
            }

            return rows;
        }
    }

    private static async Task RollBackAsync(MySqlConnection connection)
    {
        if (connection.State != ConnectionState.Open)
        {
            return;
        }

        try
        {
            await using var rollback = new MySqlCommand("ROLLBACK", connection);
            await rollback.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception exception) when (exception is MySqlException or InvalidOperationException or IOException)
        {
            // If the connection is lost, the server ends the transaction. The caller must see the first error, not this one.
        }
    }
}

/// <summary>Lets <see cref="OneBatchExecutor"/> complete the text of a batch that Entity Framework creates.</summary>
internal sealed class OneBatchInterceptor : DbCommandInterceptor
{
    public static readonly OneBatchInterceptor Instance = new();

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<DbDataReader> result,
        CancellationToken cancellationToken = default
    )
    {
        if (
            eventData is { CommandSource: CommandSource.SaveChanges, Context: { } db }
            && db.GetService<IBatchExecutor>() is OneBatchExecutor executor
        )
        {
            executor.Frame(command);
        }

        return ValueTask.FromResult(result);
    }
}

internal static class OneBatchExtensions
{
    public static IServiceCollection AddOneBatches(this IServiceCollection services)
    {
        var executor = services.Last(s => s.ServiceType == typeof(IBatchExecutor)).ImplementationType!;
        return services.Replace(
            ServiceDescriptor.Scoped<IBatchExecutor>(scope => new OneBatchExecutor(
                (IBatchExecutor)ActivatorUtilities.CreateInstance(scope, executor),
                scope.GetRequiredService<ICurrentDbContext>()
            ))
        );
    }
}

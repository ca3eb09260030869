using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using MySqlConnector;

namespace Platform.Persistence;

/// <summary>
/// A SaveChanges that was told to do without a transaction (<see cref="AutoTransactionBehavior.Never"/>) brings its own: the server would
/// commit each statement of the batch for itself. Beginning and end go with the batch, one round trip in place of three.
/// </summary>
/// <remarks>
/// For a few inserts with keys that are known before. Those are one command, and one that answers nothing, so that an error of any of its
/// statements is the error of the command. Of several commands, each would be a transaction.
/// </remarks>
internal sealed class OneBatchTransactions : DbCommandInterceptor
{
    public static readonly OneBatchTransactions Instance = new();

    public override InterceptionResult<DbDataReader> ReaderExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result)
    {
        Complete(command, eventData);
        return result;
    }

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        Complete(command, eventData);
        return ValueTask.FromResult(result);
    }

    public override void CommandFailed(DbCommand command, CommandErrorEventData eventData) => RollBack(command, eventData);

    public override Task CommandFailedAsync(DbCommand command, CommandErrorEventData eventData, CancellationToken cancellationToken = default) =>
        RollBackAsync(command, eventData);

    public override void CommandCanceled(DbCommand command, CommandEndEventData eventData) => RollBack(command, eventData);

    public override Task CommandCanceledAsync(DbCommand command, CommandEndEventData eventData, CancellationToken cancellationToken = default) =>
        RollBackAsync(command, eventData);

    private static bool IsOneBatch(CommandEventData eventData) =>
        eventData.CommandSource == CommandSource.SaveChanges
        && eventData.Context?.Database is { AutoTransactionBehavior: AutoTransactionBehavior.Never, CurrentTransaction: null };

    private static void Complete(DbCommand command, CommandEventData eventData)
    {
        if (IsOneBatch(eventData))
        {
            command.CommandText = $"START TRANSACTION;\n{command.CommandText.AsSpan().TrimEnd().TrimEnd(';')};\nCOMMIT";
        }
    }

    // The server stopped at the statement that failed, in the open transaction, and the connection's next user would go on in it.
    private static void RollBack(DbCommand command, CommandEventData eventData)
    {
        if (IsOneBatch(eventData) && command.Connection is MySqlConnection { State: ConnectionState.Open } connection)
        {
            try
            {
                using var rollback = new MySqlCommand("ROLLBACK", connection);
                rollback.ExecuteNonQuery();
            }
            catch (Exception exception) when (IsConnectionLost(exception))
            {
            }
        }
    }

    private static async Task RollBackAsync(DbCommand command, CommandEventData eventData)
    {
        if (IsOneBatch(eventData) && command.Connection is MySqlConnection { State: ConnectionState.Open } connection)
        {
            try
            {
                await using var rollback = new MySqlCommand("ROLLBACK", connection);
                await rollback.ExecuteNonQueryAsync(CancellationToken.None);
            }
            catch (Exception exception) when (IsConnectionLost(exception))
            {
            }
        }
    }

    // With the connection, the server ends the transaction; and the error to tell is the first one.
    private static bool IsConnectionLost(Exception exception) => exception is MySqlException or InvalidOperationException or IOException;
}

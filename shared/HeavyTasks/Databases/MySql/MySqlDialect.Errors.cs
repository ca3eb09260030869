using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using MySqlConnector;

namespace Platform.HeavyTasks;

internal sealed partial class MySqlDialect
{
    public bool IsDuplicateKey(DbUpdateException exception) =>
        exception.InnerException is MySqlException { ErrorCode: MySqlErrorCode.DuplicateKeyEntry };

    public bool IsMissingReference(DbUpdateException exception) =>
        exception.InnerException is MySqlException { ErrorCode: MySqlErrorCode.NoReferencedRow or MySqlErrorCode.NoReferencedRow2 };

    // After a wait for a lock longer than innodb_lock_wait_timeout, the server undoes only the statement.
    public bool IsConflict(Exception exception) =>
        Causes
            .Of(exception)
            .Any(cause => cause is MySqlException { ErrorCode: MySqlErrorCode.LockDeadlock or MySqlErrorCode.LockWaitTimeout });

    public bool IsTransient(Exception exception) => Causes.Of(exception).Any(IsOutage) || IsConflict(exception);

    public bool IsSchemaError(Exception exception) =>
        exception is MySqlException { ErrorCode: MySqlErrorCode.NoSuchTable or MySqlErrorCode.BadFieldError };

    public bool IsRefused(Exception exception) =>
        exception is MySqlException { ErrorCode: MySqlErrorCode.TableAccessDenied or MySqlErrorCode.ColumnAccessDenied };

    private const int StatementTimeout = 1969;

    private static bool IsOutage(Exception cause) =>
        cause
            is MySqlException { InnerException: TimeoutException or SocketException or IOException }
                or MySqlException
                {
                    ErrorCode: MySqlErrorCode.UnableToConnectToHost
                        or MySqlErrorCode.ConnectionCountError
                        or MySqlErrorCode.ServerShutdown
                        or MySqlErrorCode.CommandTimeoutExpired
                        or MySqlErrorCode.QueryTimeout
                        or MySqlErrorCode.DiskFull
                        or MySqlErrorCode.RecordFileFull
                        or MySqlErrorCode.ErrorOnWrite
                }
                // MariaDB's max_statement_time has passed.
                or MySqlException { Number: StatementTimeout }
                // The driver reports this when a transaction begins on a connection that the server has ended.
                or SocketException
                or MySqlEndOfStreamException;
}

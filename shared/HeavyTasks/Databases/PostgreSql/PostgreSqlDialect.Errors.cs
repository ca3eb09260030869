using System.Net.Sockets;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Platform.HeavyTasks;

internal sealed partial class PostgreSqlDialect
{
    public bool IsDuplicateKey(DbUpdateException exception) =>
        exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation };

    public bool IsMissingReference(DbUpdateException exception) =>
        exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.ForeignKeyViolation };

    // The last code means that a wait for a lock exceeded lock_timeout.
    public bool IsConflict(Exception exception) =>
        Causes
            .Of(exception)
            .Any(cause =>
                cause
                    is PostgresException
                    {
                        SqlState: PostgresErrorCodes.DeadlockDetected
                            or PostgresErrorCodes.SerializationFailure
                            or PostgresErrorCodes.LockNotAvailable
                    }
            );

    public bool IsTransient(Exception exception) => Causes.Of(exception).Any(IsOutage) || IsConflict(exception);

    public bool IsSchemaError(Exception exception) =>
        exception is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn };

    public bool IsRefused(Exception exception) => exception is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege };

    // Of several servers none is known to be the primary, as while a standby is not promoted yet. The driver says it in words only.
    private static bool IsWithoutPrimary(Exception cause) =>
        cause is NpgsqlException { InnerException: null } and not PostgresException
        && cause.Message.StartsWith("No suitable host", StringComparison.Ordinal);

    private static bool IsOutage(Exception cause) =>
        IsWithoutPrimary(cause)
        || cause
            is NpgsqlException { InnerException: TimeoutException or SocketException or IOException }
                or PostgresException
                {
                    SqlState: PostgresErrorCodes.TooManyConnections
                        or PostgresErrorCodes.CannotConnectNow
                        or PostgresErrorCodes.AdminShutdown
                        // statement_timeout has passed.
                        or PostgresErrorCodes.QueryCanceled
                        or PostgresErrorCodes.CrashShutdown
                        or PostgresErrorCodes.DiskFull
                };
}

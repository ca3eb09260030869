using Microsoft.Extensions.Logging;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>What people read when an action failed. Details of servers stay in the log.</summary>
internal sealed partial class Failures(ILogger<Failures> logger)
{
    /// <summary>Logs the failure, and says for people what it means.</summary>
    public string Text(Exception exception)
    {
        if (exception is UnauthorizedAccessException or UploadRefusedException or FileTooLongException)
        {
            return exception.Message;
        }

        Failed(logger, exception);
        return exception is TimeoutException or DatabaseBusyException or UploadExpiredException || Dialect.Current.IsTransient(exception)
            ? "The database does not answer. Try again."
            : "This did not work; the log of the dashboard says why.";
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "An action of the dashboard failed.")]
    private static partial void Failed(ILogger logger, Exception exception);
}

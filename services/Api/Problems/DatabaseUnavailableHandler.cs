using Microsoft.AspNetCore.Diagnostics;
using Platform.HeavyTasks;

namespace Platform.Api.Problems;

/// <summary>No connection, or no answer, in the time allowed: 503, and the client may try again soon.</summary>
internal sealed partial class DatabaseUnavailableHandler(IProblemDetailsService problems, ILogger<DatabaseUnavailableHandler> logger)
    : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not DatabaseBusyException && !DatabaseProvider.IsConnectionUnavailable(exception))
        {
            return false;
        }

        Unavailable(logger, httpContext.Request.Method, httpContext.GetEndpoint()?.DisplayName, exception.GetBaseException().Message);
        httpContext.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        httpContext.Response.Headers.RetryAfter = "1";
        return await problems.TryWriteAsync(
            new ProblemDetailsContext
            {
                HttpContext = httpContext,
                Exception = exception,
                ProblemDetails = { Detail = "The database did not answer in time. Try again." },
            }
        );
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Method} {Endpoint} got no answer from the database in time: {Reason}")]
    private static partial void Unavailable(ILogger logger, string method, string? endpoint, string reason);
}

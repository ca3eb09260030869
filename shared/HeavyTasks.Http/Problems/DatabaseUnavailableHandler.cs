using Microsoft.AspNetCore.Diagnostics;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Answers 503 when no connection could be had in the time allowed or the database did not answer in time; the client may soon try again.
/// </summary>
internal sealed partial class DatabaseUnavailableHandler(IProblemDetailsService problems, ILogger<DatabaseUnavailableHandler> logger)
    : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not (DatabaseBusyException or UploadExpiredException) && !Dialect.Current.IsTransient(exception))
        {
            return false;
        }

        // By now the framework has taken the endpoint and the path from the request.
        var path = httpContext.Features.Get<IExceptionHandlerPathFeature>()?.Path ?? httpContext.Request.Path.Value ?? "";
        Unavailable(logger, httpContext.Request.Method, LoggedText.Of(path), LoggedText.Of(exception.GetBaseException().Message));
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Method} {Path} got no answer from the database in time: {Reason}")]
    private static partial void Unavailable(ILogger logger, string method, string path, string reason);
}

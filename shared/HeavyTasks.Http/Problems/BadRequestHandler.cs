using Microsoft.AspNetCore.Diagnostics;

namespace Platform.HeavyTasks.Http;

/// <summary>Answers with what the server found wrong with a request while an endpoint read it, such as a body that is too long.</summary>
internal sealed class BadRequestHandler(IProblemDetailsService problems) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not BadHttpRequestException badRequest)
        {
            return false;
        }

        httpContext.Response.StatusCode = badRequest.StatusCode;
        return await problems.TryWriteAsync(
            new ProblemDetailsContext
            {
                HttpContext = httpContext,
                Exception = exception,
                ProblemDetails = { Detail = badRequest.Message },
            }
        );
    }
}

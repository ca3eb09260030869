using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>An HTTP request as the holder of a connection: its method and route pattern, never its address.</summary>
internal sealed class RequestWork(HttpContext context)
{
    private readonly Lock gate = new();
    private readonly string method = context.Request.Method;
    private HttpContext? context = context;
    private Endpoint? endpoint;

    /// <summary>Whether the request has been answered; anything that still runs was left behind by it.</summary>
    public bool HasEnded => Volatile.Read(ref context) is null;

    /// <summary>The route, such as <c>GET /users/{id}</c>.</summary>
    public string Route =>
        Volatile.Read(ref endpoint) switch
        {
            RouteEndpoint { RoutePattern.RawText: { Length: > 0 } pattern } => $"{method} {(pattern[0] == '/' ? "" : "/")}{pattern}",
            { DisplayName: { } name } => $"{method} {name}",
            _ => method,
        };

    /// <summary>
    /// Remembers the route, which is not yet known when the request begins. The server later reuses the context for another request.
    /// </summary>
    public void Remember()
    {
        if (Volatile.Read(ref endpoint) is null)
        {
            lock (gate)
            {
                endpoint ??= context?.GetEndpoint();
            }
        }
    }

    /// <summary>Records that the request has been answered.</summary>
    public void End()
    {
        Remember();
        lock (gate)
        {
            context = null;
        }
    }
}

/// <summary>Records every request as the work of its flow, before any middleware of the application runs.</summary>
internal sealed class RequestWorkFilter(IOptions<DatabaseOptions> options) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
        options.Value.IdleConnectionLimit == TimeSpan.Zero
            ? next
            : app =>
            {
                app.Use(inner => context => RunAsync(inner, context));
                next(app);
            };

    private static async Task RunAsync(RequestDelegate inner, HttpContext context)
    {
        var request = new RequestWork(context);
        CurrentWork.Value = request;
        try
        {
            await inner(context);
        }
        finally
        {
            request.End();
        }
    }
}

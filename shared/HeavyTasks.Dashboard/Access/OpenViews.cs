using System.Runtime.InteropServices;
using System.Security.Claims;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Components.Routing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>
/// Counts the pages that each client has open in this process, and refuses one too many: a page costs memory for as long as it is open. A
/// client is a key or an account; whoever the application lets in without one is an address.
/// </summary>
internal sealed class OpenViews(IOptions<DashboardOptions> options) : IHubFilter
{
    private const string TooMany = "This client has too many pages open.";

    private readonly int max = options.Value.MaxViewsPerClient;
    private readonly Lock gate = new();
    private readonly Dictionary<Place, int> counts = [];

    /// <summary>Says so to whoever asks for one page too many, before anything is read for it.</summary>
    public Task AnswerAsync(HttpContext http, RequestDelegate next)
    {
        // The page where one signs in is not open: it is a plain form.
        var isView = IsOfDashboard(http) && http.GetEndpoint()!.Metadata.GetMetadata<ComponentTypeMetadata>() is not null;
        return isView && http.AcceptsInteractiveRouting() && IsFull(http) ? RefuseAsync(http) : next(http);
    }

    /// <summary>Counts the connection of a page. Pages may have been loaded together, and not every client is a browser.</summary>
    public async Task OnConnectedAsync(HubLifetimeContext context, Func<HubLifetimeContext, Task> next)
    {
        // The application may have pages of its own on the same hub.
        if (context.Context.GetHttpContext() is { } http && IsOfDashboard(http))
        {
            // A connection that is closed at once leaves some pages as they are, without a word: they hear of it when they ask for more.
            var client = ClientOf(http);
            var place =
                TryBegin(new Place(client, IsRefused: false))
                ?? TryBegin(new Place(client, IsRefused: true))
                ?? throw new HubException(TooMany);
            context.Context.Items[typeof(OpenViews)] = place;
        }

        try
        {
            await next(context);
        }
        catch
        {
            // Whoever was not let in does not leave either.
            End(context.Context);
            throw;
        }
    }

    /// <summary>Refuses everything that one page too many asks for, so it costs a connection and nothing else.</summary>
    public async ValueTask<object?> InvokeMethodAsync(
        HubInvocationContext invocationContext,
        Func<HubInvocationContext, ValueTask<object?>> next
    )
    {
        if (invocationContext.Context.Items.TryGetValue(typeof(OpenViews), out var place) && place is Place { IsRefused: true })
        {
            // As the framework tells of a page that has failed: the browser says so, and closes the connection.
            await invocationContext.Hub.Clients.Caller.SendAsync("JS.Error", TooMany);
            throw new HubException(TooMany);
        }

        return await next(invocationContext);
    }

    public async Task OnDisconnectedAsync(HubLifetimeContext context, Exception? exception, Func<HubLifetimeContext, Exception?, Task> next)
    {
        End(context.Context);
        await next(context, exception);
    }

    private static bool IsOfDashboard(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<DashboardView>() is not null;

    private static string ClientOf(HttpContext http) =>
        http.User.FindFirst(ClaimTypes.NameIdentifier) is { } id ? $"client {id.Value}" : $"address {http.Connection.RemoteIpAddress}";

    private bool IsFull(HttpContext http)
    {
        lock (gate)
        {
            return counts.GetValueOrDefault(new Place(ClientOf(http), IsRefused: false)) >= max;
        }
    }

    private Place? TryBegin(Place place)
    {
        lock (gate)
        {
            ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(counts, place, out _);
            if (count >= max)
            {
                return null;
            }

            count++;
            return place;
        }
    }

    private void End(HubCallerContext connection)
    {
        if (!connection.Items.Remove(typeof(OpenViews), out var known) || known is not Place place)
        {
            return;
        }

        lock (gate)
        {
            if (--CollectionsMarshal.GetValueRefOrNullRef(counts, place) == 0)
            {
                counts.Remove(place);
            }
        }
    }

    private Task RefuseAsync(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        http.Response.ContentType = "text/plain; charset=utf-8";
        return http.Response.WriteAsync(
            $"You have {Show.Count(max)} pages of this dashboard open, which is the most for one client (Dashboard:MaxViewsPerClient). "
                + "Close one, and load this page again."
        );
    }

    // One that is refused keeps its connection until the browser closes it, so these have a limit, too.
    private sealed record Place(string Client, bool IsRefused);
}

/// <summary>Marks what belongs to the dashboard's pages: themselves, and the connection that keeps them live.</summary>
internal sealed record DashboardView;

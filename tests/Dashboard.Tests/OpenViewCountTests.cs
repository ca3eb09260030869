using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Options;
using Platform.HeavyTasks.Dashboard;

namespace Platform.Dashboard.Tests;

/// <summary>Whose page counts for whom.</summary>
public sealed class OpenViewCountTests
{
    private readonly OpenViews views = new(Options.Create(new DashboardOptions { MaxViewsPerClient = 2 }));

    [Fact]
    public async Task A_client_counts_by_its_name_wherever_it_is_and_somebody_unknown_by_the_address()
    {
        await ConnectAsync(new Caller("ada", "192.0.2.1"));
        await ConnectAsync(new Caller("ada", "192.0.2.2"));
        await ConnectAsync(new Caller(null, "192.0.2.1"));

        (await IsRefusedAsync(new Caller("ada", "192.0.2.3"))).ShouldBeTrue();
        (await IsRefusedAsync(new Caller("bob", "192.0.2.1"))).ShouldBeFalse();
        (await IsRefusedAsync(new Caller(null, "192.0.2.1"))).ShouldBeFalse();
        (await IsRefusedAsync(new Caller(null, "192.0.2.1"))).ShouldBeTrue();
        (await IsRefusedAsync(new Caller(null, "192.0.2.2"))).ShouldBeFalse();
    }

    [Fact]
    public async Task Connections_that_are_refused_are_not_without_end_either()
    {
        for (var i = 0; i < 4; i++)
        {
            await ConnectAsync(new Caller("ada", "192.0.2.1"));
        }

        await Should.ThrowAsync<HubException>(() => ConnectAsync(new Caller("ada", "192.0.2.1")));
    }

    [Fact]
    public async Task Who_leaves_makes_room_once()
    {
        var (first, second) = (new Caller("ada", "192.0.2.1"), new Caller("ada", "192.0.2.1"));
        await ConnectAsync(first);
        await ConnectAsync(second);
        await DisconnectAsync(first);
        await DisconnectAsync(first);

        (await IsRefusedAsync(new Caller("ada", "192.0.2.1"))).ShouldBeFalse();
        (await IsRefusedAsync(new Caller("ada", "192.0.2.1"))).ShouldBeTrue();
    }

    [Fact]
    public async Task A_connection_that_did_not_come_about_leaves_nothing_behind()
    {
        for (var i = 0; i < 10; i++)
        {
            var caller = new Caller("ada", "192.0.2.1");
            await Should.ThrowAsync<TimeoutException>(() =>
                views.OnConnectedAsync(caller.Lifetime, _ => Task.FromException(new TimeoutException()))
            );
        }

        (await IsRefusedAsync(new Caller("ada", "192.0.2.1"))).ShouldBeFalse();
    }

    [Fact]
    public async Task Pages_of_the_application_itself_do_not_count()
    {
        for (var i = 0; i < 10; i++)
        {
            await ConnectAsync(new Caller("ada", "192.0.2.1", isOfDashboard: false));
        }

        (await IsRefusedAsync(new Caller("ada", "192.0.2.1"))).ShouldBeFalse();
    }

    private Task ConnectAsync(Caller caller) => views.OnConnectedAsync(caller.Lifetime, _ => Task.CompletedTask);

    private Task DisconnectAsync(Caller caller) => views.OnDisconnectedAsync(caller.Lifetime, null, (_, _) => Task.CompletedTask);

    private async Task<bool> IsRefusedAsync(Caller caller)
    {
        await ConnectAsync(caller);
        var answers = new List<object?>();
        caller.Hub.Clients = Fake.Of<IHubCallerClients>(
            (_, _) =>
                Fake.Of<ISingleClientProxy>(
                    (_, arguments) =>
                    {
                        answers.Add(arguments[0]);
                        return Task.CompletedTask;
                    }
                )
        );
        var call = new HubInvocationContext(
            caller,
            Fake.Of<IServiceProvider>((_, _) => null),
            caller.Hub,
            typeof(object).GetMethods()[0],
            []
        );
        try
        {
            await views.InvokeMethodAsync(call, _ => ValueTask.FromResult<object?>(null));
            answers.ShouldBeEmpty();
            return false;
        }
        catch (HubException)
        {
            answers.ShouldBe(["JS.Error"]);
            return true;
        }
    }

    private sealed class Page : Hub;

    // The connection of a page, as the framework shows it.
    private sealed class Caller : HubCallerContext, IHttpContextFeature
    {
        public Caller(string? name, string address, bool isOfDashboard = true)
        {
            var http = new DefaultHttpContext();
            http.Connection.RemoteIpAddress = IPAddress.Parse(address);
            http.User = new ClaimsPrincipal(
                new ClaimsIdentity(name is null ? [] : [new Claim(ClaimTypes.NameIdentifier, name)], name is null ? null : "test")
            );
            http.SetEndpoint(new Endpoint(null, isOfDashboard ? new EndpointMetadataCollection(new DashboardView()) : null, "page"));
            HttpContext = http;
            Features.Set<IHttpContextFeature>(this);
            Lifetime = new HubLifetimeContext(this, Fake.Of<IServiceProvider>((_, _) => null), Hub);
        }

        public Hub Hub { get; } = new Page();

        public HubLifetimeContext Lifetime { get; }

        public HttpContext? HttpContext { get; set; }

        public override string ConnectionId => "1";

        public override string? UserIdentifier => null;

        public override ClaimsPrincipal? User => HttpContext?.User;

        public override IDictionary<object, object?> Items { get; } = new Dictionary<object, object?>();

        public override IFeatureCollection Features { get; } = new FeatureCollection();

        public override CancellationToken ConnectionAborted => CancellationToken.None;

        public override void Abort() { }
    }
}

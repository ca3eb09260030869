using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Support;

namespace Platform.Api.Tests.Services;

/// <summary>The log and <c>GET /services</c> name the route of a request that holds a connection while nothing runs on it.</summary>
public sealed class ConnectionHolderTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RecordedLog log = new();
    private TestApi api = null!;

    public async ValueTask InitializeAsync() =>
        api = await TestApi.StartAsync(
            services => services.AddSingleton<ILoggerProvider>(log).AddSingleton<IStartupFilter>(new MoreEndpoints(release.Task)),
            ("Database:IdleConnectionLimit", "00:00:01")
        );

    public async ValueTask DisposeAsync()
    {
        release.TrySetResult();
        await api.DisposeAsync();
        log.Dispose();
    }

    [Fact]
    public async Task Request_that_keeps_a_connection_while_it_computes_is_named_by_its_route()
    {
        var request = api.Client.GetAsync("/test/holds/secret");

        var warning = await NextWarningAsync();
        warning.Values["Route"].ShouldBe("GET /test/holds/{id}");
        warning.Text.ShouldNotContain("secret");
        warning.Text.ShouldNotContain("answered");
        var holder = await ListedAsync("GET /test/holds/{id}");
        holder.GetProperty("hasEnded").GetBoolean().ShouldBeFalse();
        holder.GetProperty("idleTooLong").GetBoolean().ShouldBeTrue();
        holder.GetProperty("idleSeconds").GetDouble().ShouldBeInRange(1, holder.GetProperty("heldSeconds").GetDouble());

        release.SetResult();
        using var answer = await request;
        answer.EnsureSuccessStatusCode();
        await Eventually.Async(async () => !(await ListAsync()).Any(IsRequest), Patience);
        Warnings.Count.ShouldBe(1);
    }

    [Fact]
    public async Task What_a_request_leaves_behind_is_named_by_the_route_although_the_request_was_answered()
    {
        using var answer = await api.Client.GetAsync("/test/leaves");
        answer.EnsureSuccessStatusCode();

        var warning = await NextWarningAsync();

        warning.Values["Route"].ShouldBe("GET /test/leaves");
        warning.Text.ShouldContain("(answered)");
        (await ListedAsync("GET /test/leaves")).GetProperty("hasEnded").GetBoolean().ShouldBeTrue();
    }

    // Only warnings about requests: on a machine that is busy with other tests, the engine's own loops may be slow enough to be named.
    private IReadOnlyList<RecordedLog.Entry> Warnings =>
        [.. log.Of(nameof(ConnectionHoldWatch), LogLevel.Warning).Where(w => w.Values.ContainsKey("Route"))];

    private Task<RecordedLog.Entry> NextWarningAsync() =>
        Eventually.GetAsync(() => Task.FromResult(Warnings.Count > 0 ? Warnings[0] : null), Patience);

    private static bool IsRequest(JsonElement holder) => holder.GetProperty("route").ValueKind == JsonValueKind.String;

    private async Task<JsonElement> ListedAsync(string route)
    {
        JsonElement found = default;
        await Eventually.Async(
            async () =>
            {
                found = (await ListAsync()).Single(h => IsRequest(h) && h.GetProperty("route").GetString() == route);
                return found.GetProperty("idleTooLong").GetBoolean();
            },
            Patience
        );
        return found;
    }

    private async Task<IEnumerable<JsonElement>> ListAsync() =>
        (await api.Client.GetJsonAsync("/services"))
            .GetProperty("services")
            .EnumerateArray()
            .SelectMany(s => s.GetProperty("instances").EnumerateArray())
            .SelectMany(i => i.GetProperty("connectionHolders").EnumerateArray())
            .ToArray();

    /// <summary>Endpoints that the API does not have, and should not.</summary>
    private sealed class MoreEndpoints(Task release) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
            app =>
            {
                next(app);
                app.UseRouting();
                app.UseEndpoints(endpoints =>
                {
                    endpoints.MapGet(
                        "/test/holds/{id}",
                        async (string id, PlatformDbContext db) =>
                        {
                            await db.Database.OpenConnectionAsync();
                            await db.Users.CountAsync();
                            await release;
                            return id;
                        }
                    );
                    endpoints.MapGet(
                        "/test/leaves",
                        (IServiceScopeFactory scopes) =>
                        {
                            _ = Task.Run(async () =>
                            {
                                await using var scope = scopes.CreateAsyncScope();
                                await scope.ServiceProvider.GetRequiredService<PlatformDbContext>().Database.OpenConnectionAsync();
                                await release;
                            });
                            return "left";
                        }
                    );
                });
            };
    }
}

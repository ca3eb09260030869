using System.Net;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Support;

namespace Platform.Api.Tests.Health;

public sealed class HealthTests
{
    [Fact]
    public async Task Service_with_database_and_broker_is_live_and_ready()
    {
        await using var api = await TestApi.StartAsync();

        (await api.Client.GetJsonAsync("/health/live")).GetProperty("status").GetString().ShouldBe("Healthy");
        await Eventually.Async(
            async () =>
                JsonElement.DeepEquals(
                    await api.Client.GetJsonAsync("/health/ready"),
                    JsonElement.Parse(
                        """{"status":"Healthy","checks":{"broker":"Healthy","database":"Healthy","outbox":"Healthy","pool-budget":"Healthy"}}"""
                    )
                ),
            TimeSpan.FromSeconds(30)
        );
    }

    [Fact]
    public async Task Service_that_gets_no_connection_is_live_and_not_ready()
    {
        await using var api = await TestApi.StartAsync(settings: [("Database:MaxPoolSize", "1"), ("Database:AcquireTimeout", "00:00:01")]);
        await using var scope = api.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<PlatformDbContext>().Database.OpenConnectionAsync();

        using var live = await api.Client.GetAsync("/health/live");
        using var ready = await api.Client.GetAsync("/health/ready");

        live.StatusCode.ShouldBe(HttpStatusCode.OK);
        var report = await ready.ShouldBeJsonAsync(HttpStatusCode.ServiceUnavailable);
        report.GetProperty("checks").GetProperty("database").GetString().ShouldBe("Unhealthy");
    }
}

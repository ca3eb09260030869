using System.Diagnostics;
using System.Net;
using Platform.Support;

namespace Platform.Api.Tests.Health;

/// <summary>The API as its own process, with servers that are away.</summary>
public sealed class OutageTests
{
    [Fact]
    public async Task Without_a_broker_tasks_are_accepted_and_wait_in_the_outbox()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var api = await ApiProcess.StartAsync(database.ConnectionString);

        var watch = Stopwatch.StartNew();
        for (var n = 0; n < 10; n++)
        {
            await api.Client.SubmitTaskAsync();
        }

        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(20));
        (await database.CountAsync("outbox_messages")).ShouldBe(10);
        var ready = await api.Client.GetJsonAsync("/health/ready");
        ready.GetProperty("status").GetString().ShouldBe("Degraded");
        ready.GetProperty("checks").GetProperty("broker").GetString().ShouldBe("Degraded");
    }

    [Fact]
    public async Task Without_a_database_requests_are_told_to_come_back_and_served_when_it_is_there_again()
    {
        await using var database = await PrivateDatabase.CreateAsync();
        await using var api = await ApiProcess.StartAsync(database.ConnectionString);
        (await api.Client.GetAsync("/users/1")).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        await database.StopAsync();

        using var light = await api.Client.GetAsync("/users/1");
        await light.ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable);
        light.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        using var submit = await api.Client.SubmitAsync("""{"kind":"users.statistics"}""");
        await submit.ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable);
        using var live = await api.Client.GetAsync("/health/live");
        live.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var ready = await api.Client.GetAsync("/health/ready");
        ready.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        await database.StartAsync();
        await Eventually.Async(
            async () => (await api.Client.GetAsync("/users/1")).StatusCode == HttpStatusCode.NotFound,
            TimeSpan.FromSeconds(30)
        );
        await api.Client.SubmitTaskAsync();
    }
}

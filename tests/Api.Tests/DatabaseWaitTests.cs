using System.Diagnostics;
using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.Api.Tests.HeavyTasks;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.Tests;

/// <summary>No request waits for the database forever.</summary>
public sealed class DatabaseWaitTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Request_that_gets_no_connection_in_time_is_told_to_come_back()
    {
        await using var api = await TestApi.StartAsync(settings: [("Database:MaxPoolSize", "1"), ("Database:AcquireTimeout", "00:00:01")]);
        var watch = Stopwatch.StartNew();
        await using (var scope = api.Services.CreateAsyncScope())
        {
            await scope.ServiceProvider.GetRequiredService<PlatformDbContext>().Database.OpenConnectionAsync();
            foreach (var address in new[] { "/users/1", "/heavy-tasks", $"/heavy-tasks/{Guid.NewGuid()}", $"/files/{Guid.NewGuid()}" })
            {
                using var response = await api.Client.GetAsync(address);
                await response.ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable);
                response.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
            }

            using var submit = await api.Client.SubmitAsync("""{"kind":"users.statistics"}""");
            (await submit.ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable)).ToString().ShouldNotContain("pool");
            using var upload = await api.Client.PostAsync("/files?name=a", new ByteArrayContent([1]));
            await upload.ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable);
        }

        watch.Elapsed.ShouldBeLessThan(Patience);
        (await api.Database.CountAsync("heavy_tasks")).ShouldBe(0);
        await api.Client.SubmitTaskAsync();
    }

    [Fact]
    public async Task Request_that_waits_for_a_lock_ends_with_the_command_timeout()
    {
        await using var api = await TestApi.StartAsync(settings: ("Database:CommandTimeout", "00:00:01"));
        var id = await api.Client.SubmitTaskAsync();
        await using var other = await api.Database.OpenAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using var locking = other.CreateCommand();
        locking.Transaction = transaction;
        locking.CommandText = "SELECT id FROM heavy_tasks FOR UPDATE";
        await locking.ExecuteScalarAsync();

        var watch = Stopwatch.StartNew();
        using var response = await api.Client.PostAsync($"/heavy-tasks/{id}/cancel", content: null);

        await response.ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable);
        watch.Elapsed.ShouldBeLessThan(Patience);
        await transaction.RollbackAsync();
        (await api.FindTaskAsync(id)).Status.ShouldBe(HeavyTaskStatus.Queued);
    }

    [Fact]
    public async Task Connections_that_the_server_ended_are_replaced()
    {
        await using var api = await TestApi.StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => api.Client.GetAsync("/users/1")));

        await api.Database.EndConnectionsAsync("platform-api");

        for (var n = 0; n < 20; n++)
        {
            using var response = await api.Client.GetAsync("/users/1");
            response.StatusCode.ShouldBeOneOf(HttpStatusCode.NotFound, HttpStatusCode.ServiceUnavailable);
        }

        using var last = await api.Client.GetAsync("/users/1");
        last.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }
}

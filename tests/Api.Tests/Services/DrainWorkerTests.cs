using System.Net;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.Services;

public sealed class DrainWorkerTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task A_worker_is_drained_once_and_the_list_says_so_until_it_is_resumed()
    {
        var id = await AddAsync(slots: 2);

        using var drained = await api.Client.PostAsync($"/services/{id}/drain", null);
        var since = (await drained.ShouldBeJsonAsync(HttpStatusCode.OK)).GetProperty("drainedAt").GetDateTime();
        using var again = await api.Client.PostAsync($"/services/{id}/drain", null);
        (await again.ShouldBeJsonAsync(HttpStatusCode.OK)).GetProperty("drainedAt").GetDateTime().ShouldBe(since);
        (await ListedAsync(id)).GetProperty("drainedAt").GetDateTime().ShouldBe(since);
        using var resumed = await api.Client.PostAsync($"/services/{id}/resume", null);
        (await resumed.ShouldBeJsonAsync(HttpStatusCode.OK))
            .GetProperty("drainedAt")
            .ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Null);

        await using var db = api.Database.CreateContext();
        (await db.AuditEntries.Where(e => e.Target == $"{id}").OrderBy(e => e.Id).Select(e => e.Action).ToListAsync()).ShouldBe([
            "DrainWorker",
            "ResumeWorker",
        ]);
    }

    [Fact]
    public async Task What_is_no_living_worker_is_not_drained()
    {
        var service = await AddAsync(slots: 0);
        var dead = await AddAsync(slots: 2, leaseSeconds: -1);
        foreach (var id in (Guid[])[service, dead, Guid.CreateVersion7()])
        {
            using var response = await api.Client.PostAsync($"/services/{id}/drain", null);
            await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
        }
    }

    [Fact]
    public async Task A_reader_and_a_client_of_a_tenant_drain_nothing()
    {
        var id = await AddAsync(slots: 2);
        using var reader = await api.ClientWithAsync(HeavyTaskRole.Read);
        using var red = await api.ClientWithAsync(HeavyTaskRole.Operate, "red");
        foreach (var client in (HttpClient[])[reader, red])
        {
            using var response = await client.PostAsync($"/services/{id}/drain", null);
            await response.ShouldBeProblemAsync(HttpStatusCode.Forbidden);
        }

        await using var db = api.Database.CreateContext();
        (await db.Instances.Where(i => i.Id == id).Select(i => i.DrainedAt).SingleAsync()).ShouldBeNull();
    }

    private async Task<System.Text.Json.JsonElement> ListedAsync(Guid id) =>
        (await api.Client.GetJsonAsync("/services"))
            .GetProperty("services")
            .EnumerateArray()
            .SelectMany(service => service.GetProperty("instances").EnumerateArray())
            .Single(instance => instance.GetProperty("id").GetGuid() == id);

    private async Task<Guid> AddAsync(int slots, int leaseSeconds = 3600)
    {
        var now = TimeProvider.System.GetUtcNow().UtcDateTime;
        var instance = new Instance
        {
            Id = Guid.CreateVersion7(),
            Service = "worker",
            Host = "host 42",
            Version = "1",
            StartedAt = now,
            SeenAt = now,
            LeaseUntil = now.AddSeconds(leaseSeconds),
            Slots = slots,
        };
        await using var db = api.Database.CreateContext();
        db.Add(instance);
        await db.SaveChangesAsync();
        return instance.Id;
    }
}

using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Platform.Api.Tests.HeavyTasks;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.Tests.Access;

/// <summary>A tenant reaches its own tasks and files, and finds nothing of others.</summary>
public sealed class TenantTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private const HeavyTaskRole Everything = HeavyTaskRole.Submit | HeavyTaskRole.Operate;

    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task No_endpoint_finds_anything_with_the_ids_of_another_tenant()
    {
        using var red = await api.ClientWithAsync(Everything, "red");
        using var blue = await api.ClientWithAsync(Everything, "blue");
        var file = await UploadAsync(red);
        var task = await red.SubmitTaskAsync();
        await api.SucceededAsync(task, """{"rows":3}""", file);
        using (var own = await red.GetAsync($"/heavy-tasks/{task}/result"))
        {
            own.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        // Walks the document, so that an endpoint that is added later is tried, too.
        foreach (var path in (await api.Client.GetJsonAsync("/openapi/v1.json")).GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject().Where(_ => path.Name.Contains("{id}", StringComparison.Ordinal)))
            {
                foreach (var id in (Guid[])[task, file])
                {
                    using var request = new HttpRequestMessage(
                        new HttpMethod(operation.Name.ToUpperInvariant()),
                        path.Name.Replace("{id}", $"{id}", StringComparison.Ordinal)
                    );
                    using var response = await blue.SendAsync(request, TestContext.Current.CancellationToken);

                    // 403: what is for keys without a tenant, whatever the id.
                    var expected = IsForTenants(path.Name) ? HttpStatusCode.NotFound : HttpStatusCode.Forbidden;
                    if (path.Name.StartsWith("/users", StringComparison.Ordinal) || path.Name.StartsWith("/keys", StringComparison.Ordinal))
                    {
                        // No such id has the form of theirs, so there is no such endpoint either.
                        response.StatusCode.ShouldBeOneOf(
                            HttpStatusCode.Forbidden,
                            HttpStatusCode.NotFound,
                            HttpStatusCode.MethodNotAllowed
                        );
                        continue;
                    }

                    response.StatusCode.ShouldBe(expected, $"{operation.Name} {path.Name}");
                }
            }
        }

        (await api.FindTaskAsync(task)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
    }

    [Fact]
    public async Task A_tenant_can_neither_cancel_nor_retry_the_task_of_another()
    {
        using var red = await api.ClientWithAsync(Everything, "red");
        using var blue = await api.ClientWithAsync(Everything, "blue");
        var waiting = await red.SubmitTaskAsync();
        var cancelled = await red.SubmitTaskAsync();
        await api.CancelledAsync(cancelled);

        using var cancel = await blue.PostAsync($"/heavy-tasks/{waiting}/cancel", null);
        using var retry = await blue.PostAsync($"/heavy-tasks/{cancelled}/retry", null);

        await cancel.ShouldBeProblemAsync(HttpStatusCode.NotFound);
        await retry.ShouldBeProblemAsync(HttpStatusCode.NotFound);
        (await api.FindTaskAsync(waiting)).Status.ShouldBe(HeavyTaskStatus.Queued);
        (await api.FindTaskAsync(cancelled)).Status.ShouldBe(HeavyTaskStatus.Cancelled);
        using var own = await red.PostAsync($"/heavy-tasks/{waiting}/cancel", null);
        own.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?kind=users.statistics")]
    [InlineData("?status=Queued")]
    [InlineData("?status=Queued&kind=users.statistics")]
    public async Task A_list_shows_the_tenants_own_tasks_page_by_page_and_all_to_who_has_no_tenant(string filter)
    {
        var (first, second) = ($"list-{Guid.NewGuid():N}", $"list-{Guid.NewGuid():N}");
        using var red = await api.ClientWithAsync(Everything, first);
        using var blue = await api.ClientWithAsync(Everything, second);
        var (ofRed, ofBlue) = (new List<Guid>(), new List<Guid>());
        for (var i = 0; i < 5; i++)
        {
            ofRed.Add(await red.SubmitTaskAsync());
            ofBlue.Add(await blue.SubmitTaskAsync());
        }

        (await ListAsync(red, filter, 2)).ShouldBe(Enumerable.Reverse(ofRed));
        (await ListAsync(blue, filter, 3)).ShouldBe(Enumerable.Reverse(ofBlue));
        var all = await ListAsync(api.Client, filter, 200);
        all.ShouldContain(ofRed[0]);
        all.ShouldContain(ofBlue[0]);
    }

    [Fact]
    public async Task Tenants_have_Idempotency_Keys_of_their_own()
    {
        using var red = await api.ClientWithAsync(Everything, "red");
        using var blue = await api.ClientWithAsync(Everything, "blue");
        const string body = """{"kind":"users.statistics"}""";
        var key = $"{Guid.NewGuid()}";

        var mine = await IdAsync(red, HttpStatusCode.Accepted);
        var other = await IdAsync(blue, HttpStatusCode.Accepted);
        var withoutTenant = await IdAsync(api.Client, HttpStatusCode.Accepted);

        new[] { mine, other, withoutTenant }.Distinct().Count().ShouldBe(3);
        (await IdAsync(red, HttpStatusCode.OK)).ShouldBe(mine);
        (await IdAsync(blue, HttpStatusCode.OK)).ShouldBe(other);
        (await IdAsync(api.Client, HttpStatusCode.OK)).ShouldBe(withoutTenant);

        async Task<Guid> IdAsync(HttpClient client, HttpStatusCode expected)
        {
            using var response = await client.SubmitAsync(body, key);
            return (await response.ShouldBeJsonAsync(expected)).GetProperty("id").GetGuid();
        }
    }

    [Fact]
    public async Task A_task_keeps_no_file_of_another_tenant()
    {
        using var red = await api.ClientWithAsync(Everything, "red");
        using var blue = await api.ClientWithAsync(Everything, "blue");
        var file = await UploadAsync(red);

        var foreign = await blue.SubmitTaskAsync(Import(file));
        var own = await red.SubmitTaskAsync(Import(file));
        var ofNobody = await api.Client.SubmitTaskAsync(Import(file));

        await using var db = api.Database.CreateContext();
        var needed = await db.HeavyTaskFiles.AsNoTracking().Where(n => n.FileId == file).Select(n => n.TaskId).ToListAsync();
        needed.ShouldBe([own, ofNobody], ignoreOrder: true);
        needed.ShouldNotContain(foreign);
    }

    [Fact]
    public async Task What_belongs_to_no_tenant_is_not_for_tenants()
    {
        using var red = await api.ClientWithAsync(Everything, "red");
        var ofNobody = await api.Client.SubmitTaskAsync();
        foreach (var path in (string[])["/services", "/keys", "/audit"])
        {
            using var refused = await red.GetAsync(path);
            await refused.ShouldBeProblemAsync(HttpStatusCode.Forbidden);
        }

        using var response = await red.GetAsync($"/heavy-tasks/{ofNobody}");
        await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_tenant_finds_its_own_users()
    {
        using var red = await api.ClientWithAsync(Everything, "red");
        using var blue = await api.ClientWithAsync(Everything, "blue");
        await using var db = api.Database.CreateContext();
        var user = new User
        {
            TenantId = "red",
            ExternalId = "tenants",
            Name = "Ada",
            Email = "tenants@example.org",
        };
        db.Add(user);
        await db.SaveChangesAsync();

        foreach (var path in (string[])[$"/users/{user.Id}", "/users?email=tenants@example.org"])
        {
            foreach (
                var (client, expected) in new[]
                {
                    (red, HttpStatusCode.OK),
                    (api.Client, HttpStatusCode.OK),
                    (blue, HttpStatusCode.NotFound),
                }
            )
            {
                using var response = await client.GetAsync(path);
                response.StatusCode.ShouldBe(expected, path);
            }
        }
    }

    [Fact]
    public async Task What_nobody_gave_a_policy_is_not_for_tenants()
    {
        using var red = await api.ClientWithAsync(Everything, "red");

        using var nothing = await red.GetAsync("/nothing");

        nothing.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        using var known = await api.Client.GetAsync("/nothing");
        known.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    private static bool IsForTenants(string path) =>
        path.StartsWith("/heavy-tasks", StringComparison.Ordinal) || path.StartsWith("/files", StringComparison.Ordinal);

    private static string Import(Guid file) =>
        """{"kind":"users.import","parameters":{"fileId":"FILE","columns":{"externalId":"externalId","name":"name"}}}""".Replace(
            "FILE",
            $"{file}",
            StringComparison.Ordinal
        );

    private static async Task<Guid> UploadAsync(HttpClient client)
    {
        using var content = new StringContent("externalId,name,email\n", Encoding.UTF8, "text/csv");
        using var response = await client.PostAsync("/files?name=users.csv", content);
        return (await response.ShouldBeJsonAsync(HttpStatusCode.Created)).GetProperty("id").GetGuid();
    }

    private static async Task<List<Guid>> ListAsync(HttpClient client, string filter, int limit)
    {
        var ids = new List<Guid>();
        string? cursor = null;
        do
        {
            var page = await client.GetJsonAsync(
                $"/heavy-tasks{(filter.Length == 0 ? "?" : $"{filter}&")}limit={limit}{(cursor is null ? "" : $"&cursor={cursor}")}"
            );
            ids.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetGuid()));
            cursor = page.GetProperty("next").GetString();
        } while (cursor is not null);

        return ids;
    }
}

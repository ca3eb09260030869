using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Http;
using Platform.Support;

namespace Platform.Api.Tests.Access;

/// <summary>Who has no valid key gets nothing, and a key does what its roles say.</summary>
public sealed class KeyTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task Nothing_but_health_answers_without_a_key()
    {
        using var nobody = api.ClientWith(null);
        foreach (var (method, path) in await EndpointsAsync())
        {
            using var response = await SendAsync(nobody, method, path);
            var problem = await response.ShouldBeProblemAsync(HttpStatusCode.Unauthorized);
            problem.GetProperty("detail").GetString().ShouldNotBeNull().ShouldContain("Authorization", customMessage: $"{method} {path}");
            response.Headers.WwwAuthenticate.ShouldHaveSingleItem().Scheme.ShouldBe("Bearer");
        }

        // What is not there is not told apart from what is.
        using var nothing = await nobody.GetAsync("/nothing");
        nothing.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        foreach (var path in (string[])["/health/live", "/health/ready"])
        {
            using var healthy = await nobody.GetAsync(path);
            healthy.StatusCode.ShouldBe(HttpStatusCode.OK);
        }
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer x")]
    [InlineData("Bearer platform_0123456789abcdef_")]
    [InlineData("Bearer platform_0123456789abcdef_6555555555555555555555555555555555555555555555555555555555555555")]
    [InlineData("Bearer platform_fedcba9876543210_5555555555555555555555555555555555555555555555555555555555555555")]
    [InlineData("Bearer PLATFORM_0123456789abcdef_5555555555555555555555555555555555555555555555555555555555555555")]
    [InlineData("Basic dXNlcjpwYXNzd29yZA==")]
    [InlineData("platform_0123456789abcdef_5555555555555555555555555555555555555555555555555555555555555555")]
    [InlineData("Bearer é")]
    public async Task What_is_not_a_valid_key_is_refused_and_not_repeated(string header)
    {
        using var handler = new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 };
        using var client = new HttpClient(handler) { BaseAddress = api.Client.BaseAddress };
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", header).ShouldBeTrue();

        using var response = await client.GetAsync("/heavy-tasks");

        var problem = await response.ShouldBeProblemAsync(HttpStatusCode.Unauthorized);
        problem.ToString().ShouldNotContain("platform_");
        problem.ToString().ShouldNotContain("dXNl");
    }

    [Fact]
    public async Task A_wrong_secret_and_an_unknown_key_are_answered_alike()
    {
        using var wrong = api.ClientWith(TestKey.Value[..^1] + "6");
        using var unknown = api.ClientWith(TestKey.Value.Replace("0123456789abcdef", "0123456789abcdee"));

        using var first = await wrong.GetAsync("/heavy-tasks");
        using var second = await unknown.GetAsync("/heavy-tasks");

        Detail(await first.ShouldBeProblemAsync(HttpStatusCode.Unauthorized))
            .ShouldBe(Detail(await second.ShouldBeProblemAsync(HttpStatusCode.Unauthorized)));
    }

    [Theory]
    [InlineData(HeavyTaskRole.Submit, "POST /heavy-tasks|POST /files")]
    [InlineData(
        HeavyTaskRole.Read,
        "GET /heavy-tasks|GET /heavy-tasks/kinds|GET /heavy-tasks/{id}|GET /heavy-tasks/{id}/log|GET /heavy-tasks/{id}/result|GET /files/{id}|GET /users|GET /users/{id}|GET /services"
    )]
    [InlineData(
        HeavyTaskRole.Operate,
        "DELETE /heavy-tasks/{id}|PUT /heavy-tasks/kinds/{kind}/slots|POST /heavy-tasks/kinds/{kind}/purge|POST /services/{id}/drain|POST /services/{id}/resume|POST /heavy-tasks/kinds/{kind}/pause|POST /heavy-tasks/kinds/{kind}/resume|POST /heavy-tasks/{id}/cancel|POST /heavy-tasks/{id}/retry|GET /heavy-tasks|GET /heavy-tasks/kinds|GET /heavy-tasks/{id}|GET /heavy-tasks/{id}/log|GET /heavy-tasks/{id}/result|GET /files/{id}|GET /users|GET /users/{id}|GET /services"
    )]
    public async Task A_role_reaches_its_endpoints_and_no_others(HeavyTaskRole role, string reached)
    {
        using var client = await api.ClientWithAsync(role);
        foreach (var (method, path, pattern) in await EndpointsWithPatternsAsync())
        {
            using var response = await SendAsync(client, method, path);
            if (reached.Split('|').Contains($"{method} {pattern}"))
            {
                response.StatusCode.ShouldNotBe(HttpStatusCode.Forbidden, $"{method} {path}");
                response.StatusCode.ShouldNotBe(HttpStatusCode.Unauthorized, $"{method} {path}");
            }
            else
            {
                Detail(await response.ShouldBeProblemAsync(HttpStatusCode.Forbidden)).ShouldContain("role");
            }
        }
    }

    [Fact]
    public async Task A_created_key_works_at_once_is_never_shown_again_and_stops_when_it_is_revoked()
    {
        using var created = await api.Client.PostAsync("/keys", Json("""{"name":"nightly import","roles":["submit","read"]}"""));
        var answer = await created.ShouldBeJsonAsync(HttpStatusCode.Created);
        var (id, key) = (answer.GetProperty("id").GetString()!, answer.GetProperty("key").GetString()!);
        created.Headers.Location!.ToString().ShouldBe($"/keys/{id}");
        answer.GetProperty("roles").EnumerateArray().Select(role => role.GetString()).ShouldBe(["submit", "read"]);

        using var client = api.ClientWith(key);
        await client.SubmitTaskAsync();
        var listed = await api.Client.GetJsonAsync("/keys");
        listed.ToString().ShouldNotContain(key.Split('_')[2]);
        var mine = listed.GetProperty("items").EnumerateArray().Single(item => item.GetProperty("id").GetString() == id);
        mine.GetProperty("name").GetString().ShouldBe("nightly import");
        mine.GetProperty("revokedAt").ValueKind.ShouldBe(JsonValueKind.Null);
        await using var db = api.Database.CreateContext();
        var row = await db.ApiKeys.AsNoTracking().SingleAsync(k => k.Id == id);
        Encoding.UTF8.GetString(row.SecretHash).ShouldNotContain(key.Split('_')[2]);

        using var revoked = await api.Client.DeleteAsync($"/keys/{id}");
        revoked.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        using var refused = await client.GetAsync("/heavy-tasks");
        await refused.ShouldBeProblemAsync(HttpStatusCode.Unauthorized);
        using var again = await api.Client.DeleteAsync($"/keys/{id}");
        again.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        using var absent = await api.Client.DeleteAsync("/keys/ffffffffffffffff");
        await absent.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_key_that_another_instance_made_or_revoked_is_known_here_within_seconds()
    {
        using var client = await api.ClientWithAsync(HeavyTaskRole.Read);
        var id = client.DefaultRequestHeaders.Authorization!.Parameter!.Split('_')[1];
        await Eventually.Async(async () => await StatusAsync(client) == HttpStatusCode.OK, TimeSpan.FromSeconds(10));

        await using var db = api.Database.CreateContext();
        await db.ApiKeys.Where(k => k.Id == id).ExecuteUpdateAsync(set => set.SetProperty(k => k.RevokedAt, DateTime.UnixEpoch));

        await Eventually.Async(async () => await StatusAsync(client) == HttpStatusCode.Unauthorized, TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_key_ends_when_it_was_said_to()
    {
        var time = new ShiftedTime();
        await using var other = await TestApi.StartAsync(services => services.AddSingleton<TimeProvider>(time));
        await using var db = other.Database.CreateContext();
        var key = await ApiKeys.CreateAsync(db, "soon over", HeavyTaskRole.Read, expiresAt: time.GetUtcNow().AddMinutes(30));
        using var client = other.ClientWith(key);
        (await StatusAsync(client)).ShouldBe(HttpStatusCode.OK);

        time.Forward(TimeSpan.FromMinutes(31));

        (await StatusAsync(client)).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("""{"roles":["read"]}""", "name")]
    [InlineData("""{"name":" ","roles":["read"]}""", "name")]
    [InlineData("""{"NAME":"a\u0007","roles":["read"]}""", "NAME")]
    [InlineData("""{"name":"a"}""", "roles")]
    [InlineData("""{"name":"a","roles":[]}""", "roles")]
    [InlineData("""{"name":"a","Roles":["root"]}""", "Roles")]
    [InlineData("""{"name":"a","roles":["read"],"tenant":""}""", "tenant")]
    [InlineData("""{"name":"a","roles":["read"],"tenant":"a b"}""", "tenant")]
    [InlineData("""{"name":"a","roles":["admin"],"tenant":"a"}""", "tenant")]
    [InlineData("""{"name":"a","roles":["read"],"expiresAt":"2020-01-01"}""", "expiresAt")]
    [InlineData("""{"name":"a","roles":["read"],"secret":"x"}""", "secret")]
    public async Task What_is_wrong_with_a_key_is_named_as_the_client_wrote_it(string body, string field)
    {
        using var response = await api.Client.PostAsync("/keys", Json(body));

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, field);
    }

    [Fact]
    public async Task When_a_key_was_used_is_written_about_once_a_minute()
    {
        var time = new ShiftedTime();
        var keys = new KnownKeys(api.Services.GetRequiredService<IServiceScopeFactory>(), time, NullLogger<KnownKeys>.Instance);
        await using var db = api.Database.CreateContext();
        var key = await ApiKeys.CreateAsync(db, "used", HeavyTaskRole.Read);
        var id = key.Split('_')[1];
        keys.Used((await keys.FindAsync(id, CancellationToken.None)).ShouldNotBeNull());
        time.Forward(TimeSpan.FromSeconds(20));
        await keys.FindAsync(id, CancellationToken.None);
        (await UsedAtAsync()).ShouldBeNull();

        time.Forward(TimeSpan.FromSeconds(60));
        await keys.FindAsync(id, CancellationToken.None);

        await Eventually.Async(async () => await UsedAtAsync() is not null, TimeSpan.FromSeconds(30));

        Task<DateTime?> UsedAtAsync() => db.ApiKeys.AsNoTracking().Where(k => k.Id == id).Select(k => k.LastUsedAt).SingleAsync();
    }

    [Fact]
    public async Task While_the_keys_cannot_be_read_clients_are_told_to_come_back()
    {
        await using var other = await TestApi.StartAsync(
            settings: [("Database:MaxPoolSize", "1"), ("Database:AcquireTimeout", "00:00:01")]
        );
        await using var scope = other.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<Platform.Persistence.PlatformDbContext>().Database.OpenConnectionAsync();

        using var response = await other.Client.GetAsync("/heavy-tasks");

        await response.ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable);
        response.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        using var nobody = other.ClientWith(null);
        (await StatusAsync(nobody)).ShouldBe(HttpStatusCode.Unauthorized);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client)
    {
        using var response = await client.GetAsync("/heavy-tasks/kinds");
        return response.StatusCode;
    }

    private static StringContent Json(string body) => new(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));

    private static string Detail(JsonElement problem) => problem.GetProperty("detail").GetString()!;

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string method, string path) =>
        client.SendAsync(
            new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "POST" ? Json("{}") : null },
            TestContext.Current.CancellationToken
        );

    private async Task<List<(string Method, string Path)>> EndpointsAsync() =>
        [.. (await EndpointsWithPatternsAsync()).Select(endpoint => (endpoint.Method, endpoint.Path))];

    // The endpoints that there are, with ids of nothing.
    private async Task<List<(string Method, string Path, string Pattern)>> EndpointsWithPatternsAsync() =>
        [
            .. (await api.Client.GetJsonAsync("/openapi/v1.json"))
                .GetProperty("paths")
                .EnumerateObject()
                .SelectMany(path =>
                    path.Value.EnumerateObject()
                        .Select(operation =>
                            (
                                operation.Name.ToUpperInvariant(),
                                path.Name.Replace(
                                    "{id}",
                                    path.Name.StartsWith("/users", StringComparison.Ordinal) ? "1"
                                        : path.Name.StartsWith("/keys", StringComparison.Ordinal) ? "ffffffffffffffff"
                                        : $"{Guid.NewGuid()}"
                                ),
                                path.Name
                            )
                        )
                ),
        ];
}

using System.Net;
using System.Net.Http.Headers;
using Microsoft.EntityFrameworkCore;
using Platform.Api.Tests.HeavyTasks;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Api.Tests.Access;

/// <summary>Tokens of an OpenID Connect provider are let in by the same policies as keys.</summary>
public sealed class TokenTests : IAsyncLifetime
{
    private IdentityProvider provider = null!;

    public async ValueTask InitializeAsync() => provider = await IdentityProvider.StartAsync();

    public async ValueTask DisposeAsync() => await provider.DisposeAsync();

    [Fact]
    public async Task The_roles_of_a_token_open_what_those_of_a_key_do_and_its_holder_is_recorded()
    {
        await using var api = await StartAsync(("OpenIdConnect:Roles:task-operators", "operate, submit"));
        provider.Claims.AddRange([("roles", "staff"), ("roles", "task-operators")]);
        using var client = await ClientAsync(api);

        var task = await client.SubmitTaskAsync();
        using var cancelled = await client.PostAsync($"/heavy-tasks/{task}/cancel", null);
        cancelled.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var keys = await client.GetAsync("/keys");
        await keys.ShouldBeProblemAsync(HttpStatusCode.Forbidden);
        await using var db = api.Database.CreateContext();
        var entry = await db.AuditEntries.SingleAsync(e => e.Target == $"{task}");
        (entry.Actor, entry.ActorName).ShouldBe(("ada-1", "Ada"));

        // Keys still count.
        (await api.Client.GetAsync("/keys")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Without_a_table_of_roles_a_value_means_the_role_of_its_name_and_others_mean_nothing()
    {
        await using var api = await StartAsync();
        provider.Claims.AddRange([("roles", "read"), ("roles", "superuser")]);
        using var client = await ClientAsync(api);

        using var list = await client.GetAsync("/heavy-tasks");
        using var submit = await client.PostAsync("/heavy-tasks", null);

        list.StatusCode.ShouldBe(HttpStatusCode.OK);
        await submit.ShouldBeProblemAsync(HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData("red", HttpStatusCode.OK, 1)]
    [InlineData("blue", HttpStatusCode.OK, 0)]
    [InlineData("*", HttpStatusCode.OK, 2)]
    [InlineData(null, HttpStatusCode.Forbidden, 0)]
    [InlineData("", HttpStatusCode.Forbidden, 0)]
    [InlineData("two words", HttpStatusCode.Forbidden, 0)]
    [InlineData("red|blue", HttpStatusCode.Forbidden, 0)]
    public async Task The_tenant_of_a_token_sees_its_own_and_one_without_a_tenant_nothing(string? tenants, HttpStatusCode status, int seen)
    {
        await using var api = await StartAsync(("OpenIdConnect:TenantClaim", "org"));
        using (var red = await api.ClientWithAsync(HeavyTaskRole.Submit, "red"))
        {
            await red.SubmitTaskAsync();
        }

        await api.Client.SubmitTaskAsync();
        provider.Claims.Add(("roles", "admin"));
        provider.Claims.AddRange((tenants?.Split('|') ?? []).Select(tenant => ("org", tenant)));
        using var client = await ClientAsync(api);

        using var list = await client.GetAsync("/heavy-tasks");

        list.StatusCode.ShouldBe(status);
        if (status == HttpStatusCode.OK)
        {
            (await client.GetJsonAsync("/heavy-tasks")).GetProperty("items").GetArrayLength().ShouldBe(seen);
            using var keys = await client.GetAsync("/keys");
            keys.StatusCode.ShouldBe(tenants == "*" ? HttpStatusCode.OK : HttpStatusCode.Forbidden, "an administrator has no tenant");
        }
    }

    [Fact]
    public async Task A_token_for_others_or_by_others_or_that_was_changed_is_refused()
    {
        await using var api = await StartAsync();
        await using var other = await IdentityProvider.StartAsync();
        provider.Claims.Add(("roles", "admin"));
        other.Claims.Add(("roles", "admin"));
        var token = await provider.TokenAsync();
        foreach (
            var bad in new[]
            {
                await provider.TokenAsync("another-service"),
                await other.TokenAsync(),
                token[..^10] + "AAAAAAAAAA",
                $"{token.Split('.')[0]}.{token.Split('.')[1]}.",
                "eyJhbGciOiJub25lIn0.eyJyb2xlcyI6ImFkbWluIn0.",
                "x",
            }
        )
        {
            using var client = Client(api, bad);
            using var response = await client.GetAsync("/heavy-tasks");
            var problem = await response.ShouldBeProblemAsync(HttpStatusCode.Unauthorized);
            problem.ToString().ShouldNotContain("IDX", Case.Sensitive, "internals");
            problem.ToString().ShouldNotContain("another-service");
        }
    }

    [Fact]
    public async Task While_the_provider_is_away_a_token_is_answered_503_and_keys_work()
    {
        await using var api = await StartAsync();
        provider.Claims.Add(("roles", "read"));
        var token = await provider.TokenAsync();
        await provider.DisposeAsync();
        using var client = Client(api, token);

        using var response = await client.GetAsync("/heavy-tasks");

        await response.ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable);
        response.Headers.RetryAfter.ShouldNotBeNull();
        (await api.Client.GetAsync("/heavy-tasks")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("OpenIdConnect:Roles:x", "boss", "OpenIdConnect:Roles")]
    [InlineData("OpenIdConnect:Authority", "nowhere", "OpenIdConnect:Authority")]
    [InlineData("OpenIdConnect:Audience", "", "OpenIdConnect:Audience")]
    public async Task A_setting_that_is_wrong_is_named_at_the_start(string key, string value, string named)
    {
        var failure = await Should.ThrowAsync<Exception>(async () => await (await StartAsync((key, value))).DisposeAsync());

        failure.ToString().ShouldContain(named);
    }

    private Task<TestApi> StartAsync(params (string Key, string Value)[] settings) =>
        TestApi.StartAsync(
            settings:
            [
                ("OpenIdConnect:Authority", $"{provider.Address}"),
                ("OpenIdConnect:Audience", IdentityProvider.Audience),
                ("OpenIdConnect:RequireHttps", "false"),
                .. settings,
            ]
        );

    private async Task<HttpClient> ClientAsync(TestApi api) => Client(api, await provider.TokenAsync());

    private static HttpClient Client(TestApi api, string token)
    {
        var client = api.ClientWith(TestKey.Value);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }
}

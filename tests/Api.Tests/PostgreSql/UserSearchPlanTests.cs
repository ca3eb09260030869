using System.Net;
using System.Text.Json;

namespace Platform.Api.Tests.Users;

public sealed class UserSearchPlanTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Search_by_address_reads_the_index_also_in_a_table_fresh_from_an_import(bool statistics)
    {
        var plans = new QueryPlans();
        await using var api = await TestApi.StartAsync(plans.Register);
        await api.Database.ScalarAsync(
            """
            ALTER TABLE users SET (autovacuum_enabled = false);
            INSERT INTO users (external_id, name, email) SELECT 'x' || n, 'Name', 'user' || n || '@example.org' FROM generate_series(1, 20000) n
            """
        );
        if (statistics)
        {
            await api.Database.ScalarAsync("ANALYZE users");
        }

        plans.Forget();
        using var response = await api.Client.GetAsync("/users?email=nobody@example.org");

        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await plans.ExplainAsync(api, "users")).ShouldContain(n => IsIndexScan(n));
    }

    private static bool IsIndexScan(JsonElement node) =>
        node.TryGetProperty("Index Name", out var name) && name.GetString() == "ix_users_email";
}

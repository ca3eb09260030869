using System.Text.Json;

namespace Platform.Api.Tests.HeavyTasks;

/// <summary>Among 20,000 tasks a page is read in order from an index, and little more than the page is read.</summary>
public sealed class ListHeavyTasksPlanTests : IAsyncLifetime
{
    private const int Limit = 20;
    private const int Statuses = 6;

    private readonly QueryPlans plans = new();
    private TestApi api = null!;

    // This data misleads a planner: nearly all tasks have one status and one kind, and the few others are the oldest.
    public async ValueTask InitializeAsync()
    {
        api = await TestApi.StartAsync(plans.Register);
        await api.Database.ScalarAsync(
            """
            INSERT INTO heavy_tasks (id, kind, status, parameters, attempt, failures, crashes, max_failures, cancel_requested, created_at, progress_done)
            SELECT ('0199f2a0-' || to_char(n / 10000, 'FM0000') || '-7000-8000-' || to_char(n % 10000, 'FM000000000000'))::uuid,
                   CASE WHEN n <= 30 THEN 'users.statistics' ELSE 'users.export' END,
                   CASE WHEN n <= 40 THEN (ARRAY['Scheduled', 'Queued', 'Running', 'Failed', 'Cancelled'])[n % 5 + 1] ELSE 'Succeeded' END,
                   '{"country":"NL"}', 1, 0, 0, 5, false, now(), 0
            FROM generate_series(1, 20000) n;
            INSERT INTO heavy_task_tags (task_id, tag)
            SELECT id, CASE WHEN row_number() OVER (ORDER BY id) % 2 = 0 THEN 'many' ELSE 'odd-' || row_number() OVER (ORDER BY id) END
            FROM heavy_tasks;
            ANALYZE heavy_tasks;
            ANALYZE heavy_task_tags
            """
        );
    }

    public ValueTask DisposeAsync() => api.DisposeAsync();

    [Fact]
    public async Task Page_is_read_from_an_index()
    {
        string[] filters =
        [
            "",
            "status=Succeeded",
            "status=Failed",
            "kind=users.export",
            "kind=users.statistics",
            "kind=never.was",
            "kind=users.export&status=Succeeded",
            "kind=users.export&status=Failed",
            "kind=users.statistics&status=Succeeded",
            "createdFrom=2025-10-17T14:43:16.097Z&createdBefore=2025-10-17T14:43:16.098Z",
            "createdBefore=2025-10-17T14:43:16.097Z&kind=users.export",
            "createdFrom=2025-10-17T14:43:16.098Z&status=Failed",
            "tag=many",
            "tag=many&createdBefore=2025-10-17T14:43:16.097Z",
            "tag=odd-77&status=Queued",
            "tag=never-was&kind=users.export",
        ];
        var deep = (await api.Client.GetJsonAsync("/heavy-tasks?limit=200")).GetProperty("next").GetString();
        foreach (var filter in filters)
        {
            foreach (var cursor in new[] { "", deep })
            {
                plans.Forget();
                await api.Client.GetJsonAsync($"/heavy-tasks?limit={Limit}&cursor={cursor}&{filter}");

                var nodes = await plans.ExplainAsync(api, "heavy_task");
                var plan = $"{filter} after {cursor}: {string.Join(Environment.NewLine, nodes)}";
                nodes.ShouldNotContain(n => n.GetProperty("Node Type").GetString() == "Seq Scan", plan);
                nodes.Max(RowsRead).ShouldBeLessThanOrEqualTo(Statuses * (Limit + 1), plan);
            }
        }
    }

    private static double RowsRead(JsonElement node) =>
        (
            node.GetProperty("Actual Rows").GetDouble()
            + (node.TryGetProperty("Rows Removed by Filter", out var removed) ? removed.GetDouble() : 0)
        ) * node.GetProperty("Actual Loops").GetDouble();
}

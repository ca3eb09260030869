using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using MySqlConnector;
using Platform.Persistence;

namespace Platform.Api.Tests.HeavyTasks;

/// <summary>
/// Among 60,000 tasks a page is read from one index: the server merges none, which would read every task of the kind, and reads no table whole.
/// </summary>
public sealed class ListHeavyTasksPlanTests : DbCommandInterceptor, IAsyncLifetime
{
    private readonly ConcurrentQueue<(string Sql, MySqlParameter[] Parameters)> queries = new();
    private TestApi api = null!;

    public async ValueTask InitializeAsync()
    {
        api = await TestApi.StartAsync(services =>
            services.ConfigureDbContext<PlatformDbContext>(options => options.AddInterceptors(this), ServiceLifetime.Singleton)
        );
        const string Digits = "(SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6)";
        await api.Database.ScalarAsync(
            $"""
            INSERT INTO heavy_tasks (id, kind, status, parameters, attempt, failures, crashes, max_failures, cancel_requested, created_at, progress_done, tenant_id)
            SELECT UNHEX(CONCAT(LPAD(HEX(1764000000000 + n), 12, '0'), '70008000', LPAD(HEX(n), 12, '0'))),
                   ELT(1 + n % 3, 'users.import', 'users.export', 'users.statistics'),
                   CASE WHEN n % 20 = 0 THEN 'Failed' WHEN n % 50 = 1 THEN 'Queued' ELSE 'Succeeded' END,
                   '{"{}"}', 1, 0, 0, 5, 0, UTC_TIMESTAMP(6), 0, IF(n % 2 = 0, 'red', '')
            FROM (SELECT a.n + 7 * b.n + 49 * c.n + 343 * d.n + 2401 * e.n + 16807 * f.n AS n
                  FROM {Digits} a, {Digits} b, {Digits} c, {Digits} d, {Digits} e, (SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) f) numbers;
            INSERT INTO heavy_task_tags (task_id, tag, tenant_tag)
            SELECT id, IF(CONV(RIGHT(HEX(id), 8), 16, 10) % 4 = 0, 'many', CONCAT('one-', HEX(id))), NULL FROM heavy_tasks;
            UPDATE heavy_task_tags g JOIN heavy_tasks t ON t.id = g.task_id SET g.tenant_tag = CONCAT(t.tenant_id, ' ', g.tag)
            WHERE t.tenant_id <> '';
            ANALYZE TABLE heavy_tasks;
            ANALYZE TABLE heavy_task_tags
            """
        );
    }

    public async ValueTask DisposeAsync() => await api.DisposeAsync();

    [Fact]
    public async Task Page_is_read_from_one_index()
    {
        using var red = await api.ClientWithAsync(Platform.HeavyTasks.HeavyTaskRole.Read, "red");
        foreach (var client in new[] { api.Client, red })
        {
            foreach (
                var filter in new[]
                {
                    "",
                    "status=Succeeded",
                    "status=Running",
                    "kind=users.export",
                    "kind=never.was",
                    "kind=users.export&status=Succeeded",
                    "kind=users.export&status=Running",
                    "createdFrom=2025-11-24T16:00:10Z&createdBefore=2025-11-24T16:00:40Z",
                    "createdFrom=2025-11-24T16:00:10Z&createdBefore=2025-11-24T16:00:40Z&kind=users.export",
                    "tag=many",
                    "tag=never-was",
                    "tag=many&createdFrom=2025-11-24T16:00:10Z",
                }
            )
            {
                queries.Clear();
                await client.GetJsonAsync($"/heavy-tasks?{filter}");

                foreach (var (table, type, extra) in await ExplainAsync())
                {
                    var plan = $"{filter}: {table} {type} {extra}";
                    type.ShouldNotBe("index_merge", plan);
                    if (table is "h" or "h0")
                    {
                        type.ShouldNotBe("ALL", plan);
                    }
                }
            }
        }
    }

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<DbDataReader> result,
        CancellationToken cancellationToken = default
    )
    {
        queries.Enqueue((command.CommandText, [.. command.Parameters.Cast<MySqlParameter>().Select(p => p.Clone())]));
        return ValueTask.FromResult(result);
    }

    private async Task<List<(string Table, string Type, string Extra)>> ExplainAsync()
    {
        var (sql, parameters) = queries.Where(q => q.Sql.Contains("`heavy_tasks`", StringComparison.Ordinal)).ShouldHaveSingleItem();
        await using var connection = new MySqlConnection(api.Database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new MySqlCommand($"EXPLAIN {sql}", connection);
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync();
        var plan = new List<(string, string, string)>();
        while (await reader.ReadAsync())
        {
            plan.Add(($"{reader["table"]}", $"{reader["type"]}", $"{reader["Extra"]}"));
        }

        plan.ShouldNotBeEmpty();
        return plan;
    }
}

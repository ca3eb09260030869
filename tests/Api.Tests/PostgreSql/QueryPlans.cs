using System.Collections.Concurrent;
using System.Data.Common;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Api.Tests;

/// <summary>Remembers the queries of the API, so that a test can ask the database afterwards how it runs exactly these.</summary>
internal sealed class QueryPlans : DbCommandInterceptor
{
    private readonly ConcurrentQueue<(string Sql, NpgsqlParameter[] Parameters)> queries = new();

    public void Register(IServiceCollection services) =>
        services.ConfigureDbContext<PlatformDbContext>(options => options.AddInterceptors(this), ServiceLifetime.Singleton);

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command,
        CommandEventData eventData,
        InterceptionResult<DbDataReader> result,
        CancellationToken cancellationToken = default
    )
    {
        queries.Enqueue((command.CommandText, [.. command.Parameters.Cast<NpgsqlParameter>().Select(p => p.Clone())]));
        return ValueTask.FromResult(result);
    }

    public void Forget() => queries.Clear();

    /// <summary>
    /// Runs the one query on this table since <see cref="Forget"/> again with EXPLAIN ANALYZE, and returns every node of its plan.
    /// </summary>
    public async Task<IReadOnlyList<JsonElement>> ExplainAsync(TestApi api, string table)
    {
        var (sql, parameters) = queries.Where(q => q.Sql.Contains($"FROM {table}", StringComparison.Ordinal)).ShouldHaveSingleItem();
        await using var connection = new NpgsqlConnection(api.Database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", connection);
        command.Parameters.AddRange(parameters);
        var plan = JsonElement.Parse((string)(await command.ExecuteScalarAsync())!);
        return [.. Nodes(plan[0].GetProperty("Plan"))];
    }

    private static IEnumerable<JsonElement> Nodes(JsonElement node) =>
        node.TryGetProperty("Plans", out var children) ? children.EnumerateArray().SelectMany(Nodes).Prepend(node) : [node];
}

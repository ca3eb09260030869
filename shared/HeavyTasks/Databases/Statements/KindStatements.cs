namespace Platform.HeavyTasks;

/// <summary>
/// Statements that write the row of a kind. Each is a transaction of its own, because a worker that wrote several rows in one could meet
/// another that writes them in another order.
/// </summary>
internal static class KindStatements
{
    private const string Columns = "(name, description, parameters_schema, service, announced_at)";

    /// <summary>Parameters: name, description, schema, service.</summary>
    public static string AnnounceOnMySql(EngineTables tables) =>
        $$"""
            INSERT INTO {{tables.Kinds}} {{Columns}}
            VALUES ({0}, {1}, {2}, {3}, {{Clock.MySql}})
            ON DUPLICATE KEY UPDATE description = VALUES(description), parameters_schema = VALUES(parameters_schema),
                service = VALUES(service), announced_at = VALUES(announced_at)
            """;

    /// <summary>Parameters: name, description, schema, service.</summary>
    public static string AnnounceOnPostgreSql(EngineTables tables) =>
        $$"""
            INSERT INTO {{tables.Kinds}} {{Columns}}
            VALUES ({0}, {1}, {2}, {3}, {{Clock.PostgreSql}})
            ON CONFLICT (name) DO UPDATE SET description = EXCLUDED.description, parameters_schema = EXCLUDED.parameters_schema,
                service = EXCLUDED.service, announced_at = EXCLUDED.announced_at
            """;
}

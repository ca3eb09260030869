using System.Data.Common;
using Platform.Support;

namespace Platform.Api.Tests;

internal static class TestDatabaseExtensions
{
    private static readonly DateTime Created = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    /// <summary>Inserts rows of tasks that nobody submitted.</summary>
    public static async Task InsertTasksAsync(this TestDatabase database, IEnumerable<(Guid Id, string Kind, string Status)> tasks)
    {
        await using var connection = await database.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        foreach (var (id, kind, status) in tasks)
        {
            await using var command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = """
                INSERT INTO heavy_tasks (id, kind, status, parameters, attempt, failures, crashes, max_failures, cancel_requested, created_at, progress_done)
                VALUES (@id, @kind, @status, '{}', 0, 0, 0, 5, false, @created, 0)
                """;
            Add(command, "@id", id);
            Add(command, "@kind", kind);
            Add(command, "@status", status);
            Add(command, "@created", Created);
            await command.ExecuteNonQueryAsync();
        }

        await transaction.CommitAsync();
    }

    private static void Add(DbCommand command, string name, object value)
    {
        var parameter = command.CreateParameter();
        parameter.ParameterName = name;
        parameter.Value = value;
        command.Parameters.Add(parameter);
    }
}

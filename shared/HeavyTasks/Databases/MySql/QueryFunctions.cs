using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;
using Microsoft.EntityFrameworkCore.Storage;

namespace Platform.HeavyTasks;

/// <summary>The SQL of the functions that <see cref="QueryAdapter"/> puts into queries, and of the database's clock.</summary>
internal static class QueryFunctions
{
    public static readonly MethodInfo UtcNowInMethod = typeof(QueryFunctions).GetMethod(nameof(UtcNowIn))!;
    public static readonly MethodInfo IdTextMethod = typeof(QueryFunctions).GetMethod(nameof(IdText))!;

    public static DateTime UtcNowIn(double seconds) => throw new InvalidOperationException($"Only inside a query, not with {seconds}.");

    public static string IdText(Guid id) => throw new InvalidOperationException($"Only inside a query, not with {id}.");

    public static void Configure(ModelBuilder modelBuilder)
    {
        modelBuilder
            .HasDbFunction(() => DatabaseClock.UtcNow())
            .HasTranslation(_ => Function("UTC_TIMESTAMP", typeof(DateTime), new SqlFragmentExpression("6")));
        modelBuilder.HasDbFunction(UtcNowInMethod).HasTranslation(arguments => InMicroseconds(arguments[0]));
        modelBuilder.HasDbFunction(IdTextMethod).HasTranslation(arguments => Text(arguments[0]));
    }

    private static SqlFunctionExpression InMicroseconds(SqlExpression seconds) =>
        Function(
            "TIMESTAMPADD",
            typeof(DateTime),
            new SqlFragmentExpression("MICROSECOND"),
            new SqlBinaryExpression(
                ExpressionType.Multiply,
                seconds,
                new SqlConstantExpression(1e6, seconds.TypeMapping),
                typeof(double),
                seconds.TypeMapping
            ),
            new SqlFragmentExpression(Clock.MySql)
        );

    // The hyphens are inserted from the left, so that each place is the place in the finished text. Only MySQL has BIN_TO_UUID.
    private static SqlFunctionExpression Text(SqlExpression id)
    {
        var text = Function("HEX", typeof(string), id);
        foreach (var place in new[] { "9", "14", "19", "24" })
        {
            text = Function(
                "INSERT",
                typeof(string),
                text,
                new SqlFragmentExpression(place),
                new SqlFragmentExpression("0"),
                new SqlFragmentExpression("'-'")
            );
        }

        return Function("LOWER", typeof(string), text);
    }

    private static SqlFunctionExpression Function(string name, Type type, params SqlExpression[] arguments) =>
        new(
            name,
            arguments,
            nullable: false,
            argumentsPropagateNullability: [.. arguments.Select(_ => false)],
            type,
            type == typeof(string) ? StringTypeMapping.Default : null
        );
}

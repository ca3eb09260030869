using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Platform.HeavyTasks;

/// <summary>
/// Replaces two expressions of the shared queries that Pomelo would translate differently: it rounds seconds to whole ones, and it reads
/// the 16 bytes of an id as characters. They become functions of <see cref="QueryFunctions"/> before the translation.
/// </summary>
internal sealed class QueryAdapter : ExpressionVisitor, IQueryExpressionInterceptor
{
    public static readonly QueryAdapter Instance = new();

    private static readonly MethodInfo UtcNow = typeof(DatabaseClock).GetMethod(nameof(DatabaseClock.UtcNow))!;

    public Expression QueryCompilationStarting(Expression queryExpression, QueryExpressionEventData eventData) => Visit(queryExpression);

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        if (node is { Method.Name: nameof(DateTime.AddSeconds), Object: MethodCallExpression { Method: var clock } } && clock == UtcNow)
        {
            return Expression.Call(QueryFunctions.UtcNowInMethod, Visit(node.Arguments[0]));
        }

        if (node is { Method.Name: nameof(ToString), Arguments.Count: 0, Object: { } id } && id.Type == typeof(Guid))
        {
            return Expression.Call(QueryFunctions.IdTextMethod, Visit(id));
        }

        return base.VisitMethodCall(node);
    }
}

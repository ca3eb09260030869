using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Platform.HeavyTasks;

/// <summary>
/// Two expressions of the shared queries mean something else in Pomelo's translation: seconds are rounded to whole ones, and the text of
/// an id is its 16 bytes read as characters. They become functions of <see cref="QueryFunctions"/> before the translation.
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

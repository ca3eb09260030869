using Microsoft.EntityFrameworkCore.Query;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Platform.HeavyTasks;

/// <summary>
/// The provider's translation of queries, made when a query is first compiled. Left to itself, each context makes one, and looks up some
/// hundred methods by reflection, although compiled queries are kept: a fifteenth of the processor's time of an API request that saves
/// two rows.
/// </summary>
internal sealed class LazyTranslation(Func<IRelationalSqlTranslatingExpressionVisitorFactory> create)
    : IRelationalSqlTranslatingExpressionVisitorFactory
{
    private IRelationalSqlTranslatingExpressionVisitorFactory? factory;

    public RelationalSqlTranslatingExpressionVisitor Create(
        QueryCompilationContext queryCompilationContext,
        QueryableMethodTranslatingExpressionVisitor queryableMethodTranslatingExpressionVisitor
    ) => (factory ??= create()).Create(queryCompilationContext, queryableMethodTranslatingExpressionVisitor);
}

internal static class LazyTranslationExtensions
{
    public static IServiceCollection AddLazyTranslation(this IServiceCollection services)
    {
        var factory = services.Last(s => s.ServiceType == typeof(IRelationalSqlTranslatingExpressionVisitorFactory)).ImplementationType!;
        return services.Replace(
            ServiceDescriptor.Scoped<IRelationalSqlTranslatingExpressionVisitorFactory>(scope => new LazyTranslation(() =>
                (IRelationalSqlTranslatingExpressionVisitorFactory)ActivatorUtilities.CreateInstance(scope, factory)
            ))
        );
    }
}

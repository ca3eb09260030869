using Microsoft.EntityFrameworkCore.Query;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Platform.HeavyTasks;

/// <summary>
/// Creates the provider's query translation only when a query is first compiled. By default each context creates one and looks up some
/// hundred methods by reflection, although compiled queries are cached. That takes a fifteenth of the processor time of an API request that
/// saves two rows.
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

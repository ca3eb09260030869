using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Platform.HeavyTasks.Analyzers;

/// <summary>Something that belongs to the request and is used by work that may outlive the request.</summary>
internal readonly struct Captured(IOperation use, ISymbol symbol, string description)
{
    /// <summary>The first use.</summary>
    public IOperation Use { get; } = use;

    /// <summary>A parameter, a local, or a field or property of the object.</summary>
    public ISymbol Symbol { get; } = symbol;

    /// <summary>The words for it in a message.</summary>
    public string Description { get; } = description;
}

/// <summary>Finds what work takes from its request.</summary>
internal static class Captures
{
    /// <summary>Finds the first use of each object of the request that the work did not create itself.</summary>
    /// <param name="body">The work.</param>
    /// <param name="within">The lambda that is the work; null for a method.</param>
    /// <param name="scoped">The types that belong to a request.</param>
    public static IEnumerable<Captured> Of(IOperation body, IMethodSymbol? within, ScopedTypes scoped)
    {
        var seen = new HashSet<ISymbol>(SymbolEqualityComparer.Default);
        var ownsScope = body.Descendants().Any(o => SymbolOf(o) is ILocalSymbol { Type.Name: "IServiceScope" or "AsyncServiceScope" });
        foreach (var use in body.Descendants())
        {
            if (
                SymbolOf(use) is not { } symbol
                || seen.Contains(symbol)
                || IsMadeInside(symbol, body, within)
                || scoped.Describe(use.Type) is not { } description
                || symbol is ILocalSymbol && ownsScope
                || IsOwned(symbol, body)
            )
            {
                continue;
            }

            seen.Add(symbol);
            yield return new Captured(use, symbol, description);
        }
    }

    /// <summary>A parameter, a local, or a field or property of this object.</summary>
    public static ISymbol? SymbolOf(IOperation operation) =>
        operation switch
        {
            ILocalReferenceOperation local => local.Local,
            IParameterReferenceOperation parameter => parameter.Parameter,
            IFieldReferenceOperation { Instance: IInstanceReferenceOperation } field => field.Field,
            IPropertyReferenceOperation { Instance: IInstanceReferenceOperation } property => property.Property,
            _ => null,
        };

    /// <summary>
    /// Whether a local was created by hand or by a factory and not provided by the container: then its creator disposes it.
    /// </summary>
    public static bool IsOwned(ISymbol symbol, IOperation anywhere)
    {
        if (symbol is not ILocalSymbol)
        {
            return false;
        }

        var root = anywhere;
        while (root.Parent is not null)
        {
            root = root.Parent;
        }

        var value = root.Descendants()
            .OfType<IVariableDeclaratorOperation>()
            .FirstOrDefault(d => SymbolEqualityComparer.Default.Equals(d.Symbol, symbol))
            ?.GetVariableInitializer()
            ?.Value;
        value = value?.Unwrap();
        value = value is IAwaitOperation awaited ? awaited.Operation.Unwrap() : value;
        return value is IObjectCreationOperation
            || value is IInvocationOperation { TargetMethod.Name: var name }
                && name.StartsWith("CreateDbContext", StringComparison.Ordinal);
    }

    private static bool IsMadeInside(ISymbol symbol, IOperation body, IMethodSymbol? within) =>
        symbol switch
        {
            ILocalSymbol => symbol.DeclaringSyntaxReferences.Any(r => body.Syntax.FullSpan.Contains(r.Span)),
            IParameterSymbol parameter => within is not null
                && (
                    SymbolEqualityComparer.Default.Equals(parameter.ContainingSymbol, within)
                    || symbol.DeclaringSyntaxReferences.Any(r => body.Syntax.FullSpan.Contains(r.Span))
                ),
            _ => false,
        };
}

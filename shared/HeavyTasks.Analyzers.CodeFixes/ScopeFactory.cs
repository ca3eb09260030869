using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Platform.HeavyTasks.Analyzers.CodeFixes;

/// <summary>Finds a factory from which work can open a scope after its request has ended.</summary>
/// <remarks>An <c>IServiceProvider</c> does not do: the one that a request gets ends with the request.</remarks>
internal static class ScopeFactory
{
    public const string Namespace = "Microsoft.Extensions.DependencyInjection";

    public const string TypeName = "IServiceScopeFactory";

    public static bool Is(ITypeSymbol? type) => type is { Name: TypeName } && type.ContainingNamespace.ToString() == Namespace;

    /// <summary>The name of a factory that the work can use; null when there is none.</summary>
    public static string? Find(Work work)
    {
        // A static function can use only its own parameters and static fields.
        var boundary = work
            .Lambda.Ancestors()
            .FirstOrDefault(n =>
                n is AnonymousFunctionExpressionSyntax lambda && lambda.Modifiers.Any(SyntaxKind.StaticKeyword)
                || n is LocalFunctionStatementSyntax function && function.Modifiers.Any(SyntaxKind.StaticKeyword)
                || n is MemberDeclarationSyntax member && member.Modifiers.Any(SyntaxKind.StaticKeyword)
            );
        return work
            .Model.LookupSymbols(work.Lambda.SpanStart)
            .Where(symbol =>
                symbol switch
                {
                    IParameterSymbol { RefKind: RefKind.None } parameter => Is(parameter.Type) && IsInside(parameter, boundary),
                    IFieldSymbol field => Is(field.Type) && (field.IsStatic || boundary is null),
                    IPropertySymbol property => Is(property.Type) && (property.IsStatic || boundary is null),
                    _ => false,
                }
            )
            .OrderBy(symbol => symbol.Kind == SymbolKind.Parameter ? 0 : 1)
            .FirstOrDefault()
            ?.Name;
    }

    private static bool IsInside(IParameterSymbol parameter, SyntaxNode? boundary) =>
        boundary is null || parameter.DeclaringSyntaxReferences.Any(r => boundary.Span.Contains(r.Span));
}

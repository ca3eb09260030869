using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace Platform.HeavyTasks.Analyzers.CodeFixes;

/// <summary>A lambda that is work, and the member that contains it.</summary>
internal sealed class Work
{
    private Work(SemanticModel model, LambdaExpressionSyntax lambda, IAnonymousFunctionOperation operation, SyntaxNode member)
    {
        Model = model;
        Lambda = lambda;
        Operation = operation;
        Member = member;
    }

    public SemanticModel Model { get; }

    public LambdaExpressionSyntax Lambda { get; }

    public IAnonymousFunctionOperation Operation { get; }

    /// <summary>The method, property or constructor that contains the work; for top-level statements, all of them.</summary>
    public SyntaxNode Member { get; }

    /// <summary>
    /// Reads the work; null where a scope cannot be opened without changing what the lambda is: a lambda that is not asynchronous would
    /// block, and one that returns nothing would become <c>async void</c>.
    /// </summary>
    public static Work? TryRead(SemanticModel model, LambdaExpressionSyntax lambda, CancellationToken cancellationToken)
    {
        if (
            model.GetOperation(lambda, cancellationToken) is not IAnonymousFunctionOperation operation
            || !operation.Symbol.IsAsync && (lambda.ExpressionBody is null || !IsTask(operation.Symbol.ReturnType))
        )
        {
            return null;
        }

        var member = lambda.FirstAncestorOrSelf<MemberDeclarationSyntax>();
        return member is null ? null : new Work(model, lambda, operation, member is GlobalStatementSyntax ? member.Parent! : member);
    }

    /// <summary>Finds every place in the member that names the symbol.</summary>
    public IEnumerable<IdentifierNameSyntax> UsesOf(ISymbol symbol) =>
        Member
            .DescendantNodes()
            .OfType<IdentifierNameSyntax>()
            .Where(name =>
                name.Identifier.ValueText == symbol.Name && SymbolEqualityComparer.Default.Equals(Model.GetSymbolInfo(name).Symbol, symbol)
            );

    public bool Contains(SyntaxNode node) => Lambda.Span.Contains(node.Span);

    /// <summary>Finds a name that this part of the member does not use yet.</summary>
    public static string NewName(string wish, SyntaxNode part)
    {
        var taken = part.DescendantTokens().Where(t => t.IsKind(SyntaxKind.IdentifierToken)).Select(t => t.ValueText);
        var names = new HashSet<string>(taken, StringComparer.Ordinal);
        var name = wish;
        for (var i = 2; names.Contains(name) || SyntaxFacts.GetKeywordKind(name) != SyntaxKind.None; i++)
        {
            name = $"{wish}{i}";
        }

        return name;
    }

    private static bool IsTask(ITypeSymbol type) =>
        type.Name is "Task" or "ValueTask" && type.ContainingNamespace.ToString() == "System.Threading.Tasks";
}

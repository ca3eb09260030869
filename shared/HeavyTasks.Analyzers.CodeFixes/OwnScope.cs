using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Editing;
using Microsoft.CodeAnalysis.Formatting;

namespace Platform.HeavyTasks.Analyzers.CodeFixes;

/// <summary>How one lambda gets a scope of its own, and what it then no longer takes from its request.</summary>
internal sealed class OwnScope
{
    private readonly Document document;
    private readonly Work work;
    private readonly IReadOnlyList<ContainerGift> gifts;
    private readonly string factory;
    private readonly bool addsFactory;

    private OwnScope(Document document, Work work, IReadOnlyList<ContainerGift> gifts, string factory, bool addsFactory)
    {
        this.document = document;
        this.work = work;
        this.gifts = gifts;
        this.factory = factory;
        this.addsFactory = addsFactory;
    }

    /// <summary>Plans the change; null where it is not safe, or where the work has no factory to open a scope from.</summary>
    public static async Task<OwnScope?> TryPlanAsync(Document document, LambdaExpressionSyntax lambda, CancellationToken cancellationToken)
    {
        var model = await document.GetSemanticModelAsync(cancellationToken).ConfigureAwait(false);
        if (
            model is null
            || model.SyntaxTree.Options is not CSharpParseOptions { LanguageVersion: >= LanguageVersion.CSharp8 }
            || model.Compilation.GetTypeByMetadataName($"{ScopeFactory.Namespace}.AsyncServiceScope") is null
            || Work.TryRead(model, lambda, cancellationToken) is not { } work
        )
        {
            return null;
        }

        var scoped = new ScopedTypes(model.Compilation);
        var gifts = new List<ContainerGift>();
        foreach (var captured in Captures.Of(work.Operation.Body, work.Operation.Symbol, scoped))
        {
            if (ContainerGift.TryRead(work, captured.Symbol) is not { } gift)
            {
                return null;
            }

            gifts.Add(gift);
        }

        if (gifts.Count == 0 || new SharedState(work, scoped, gifts).MayExist())
        {
            return null;
        }

        if ((gifts.Find(g => g.Local is not null)?.Local?.Factory ?? ScopeFactory.Find(work)) is { } factory)
        {
            return new OwnScope(document, work, gifts, factory, addsFactory: false);
        }

        // A parameter can be added only to an endpoint, because only an endpoint has no other callers.
        return gifts.Find(g => g.EndpointParameter is not null)?.EndpointParameter is { Parent.Parent: { } endpoint }
            ? new OwnScope(document, work, gifts, Work.NewName("scopes", endpoint), addsFactory: true)
            : null;
    }

    public async Task<Document> ApplyAsync(CancellationToken cancellationToken)
    {
        var editor = await DocumentEditor.CreateAsync(document, cancellationToken).ConfigureAwait(false);
        editor.ReplaceNode(work.Lambda, NewLambda().WithAdditionalAnnotations(Formatter.Annotation));
        var factoryIsMissing = addsFactory;
        foreach (var gift in gifts)
        {
            if (gift.Local is { } local)
            {
                editor.RemoveNode(
                    local.Statement,
                    local
                        .Statement.GetLeadingTrivia()
                        .All(t => t.IsKind(SyntaxKind.WhitespaceTrivia) || t.IsKind(SyntaxKind.EndOfLineTrivia))
                        ? SyntaxRemoveOptions.KeepNoTrivia
                        : SyntaxRemoveOptions.KeepExteriorTrivia
                );
            }
            else if (gift.EndpointParameter is { } parameter && factoryIsMissing)
            {
                factoryIsMissing = false;
                editor.ReplaceNode(
                    parameter,
                    SyntaxFactory
                        .Parameter(SyntaxFactory.Identifier(factory))
                        .WithType(SyntaxFactory.ParseTypeName($"{ScopeFactory.TypeName} "))
                        .WithTriviaFrom(parameter)
                );
            }
            else if (gift.EndpointParameter is { } unused)
            {
                editor.RemoveNode(unused);
            }
        }

        var changed = editor.GetChangedDocument();
        var root = await changed.GetSyntaxRootAsync(cancellationToken).ConfigureAwait(false);
        return IsImported() || root is not CompilationUnitSyntax unit
            ? changed
            : changed.WithSyntaxRoot(
                unit.AddUsings(
                    SyntaxFactory
                        .UsingDirective(SyntaxFactory.ParseName(ScopeFactory.Namespace))
                        .WithAdditionalAnnotations(Formatter.Annotation)
                )
            );
    }

    private LambdaExpressionSyntax NewLambda()
    {
        var names = gifts.ToDictionary(g => g.Symbol, NameOf, SymbolEqualityComparer.Default);
        var renamed = new Dictionary<SyntaxNode, string>();
        foreach (var gift in gifts.Where(g => names[g.Symbol] != g.Symbol.Name || g.BelongsToObject))
        {
            foreach (var use in work.UsesOf(gift.Symbol))
            {
                var whole = use.Parent is MemberAccessExpressionSyntax { Expression: ThisExpressionSyntax } access
                    ? access
                    : (SyntaxNode)use;
                renamed[whole] = names[gift.Symbol];
            }
        }

        var lambda = work.Lambda.ReplaceNodes(
            renamed.Keys,
            (original, _) => SyntaxFactory.IdentifierName(renamed[original]).WithTriviaFrom(original)
        );
        var scope = Work.NewName("scope", work.Lambda);
        var statements = new List<StatementSyntax>
        {
            SyntaxFactory.ParseStatement($"await using var {scope} = {factory}.CreateAsyncScope();\n"),
        };
        statements.AddRange(
            gifts.Select(g =>
                SyntaxFactory.ParseStatement($"var {names[g.Symbol]} = {scope}.ServiceProvider.GetRequiredService<{TypeName(g.Type)}>();\n")
            )
        );
        if (lambda.Block is { } block)
        {
            return (LambdaExpressionSyntax)lambda.WithBlock(block.WithStatements(block.Statements.InsertRange(0, statements)));
        }

        statements.Add(LastStatement(lambda.ExpressionBody!.WithoutTrivia()));
        if (!work.Operation.Symbol.IsAsync)
        {
            lambda = (LambdaExpressionSyntax)
                lambda.WithAsyncKeyword(SyntaxFactory.Token(SyntaxKind.AsyncKeyword).WithTrailingTrivia(SyntaxFactory.Space));
        }

        return (LambdaExpressionSyntax)lambda.WithExpressionBody(null).WithBlock(SyntaxFactory.Block(statements));
    }

    private StatementSyntax LastStatement(ExpressionSyntax expression)
    {
        var method = work.Operation.Symbol;
        var value = method.IsAsync
            ? expression
            : SyntaxFactory.AwaitExpression(
                SyntaxFactory.Token(SyntaxKind.AwaitKeyword).WithTrailingTrivia(SyntaxFactory.Space),
                expression
            );
        return method.ReturnType is INamedTypeSymbol { TypeArguments.Length: 1 }
            ? SyntaxFactory.ReturnStatement(
                SyntaxFactory.Token(SyntaxKind.ReturnKeyword).WithTrailingTrivia(SyntaxFactory.Space),
                value,
                SyntaxFactory.Token(SyntaxKind.SemicolonToken)
            )
            : SyntaxFactory.ExpressionStatement(value);
    }

    // A parameter or a local keeps its name and hides the outer one. A field loses its underscore or other prefix.
    private string NameOf(ContainerGift gift) =>
        gift.Symbol is IFieldSymbol or IPropertySymbol ? Work.NewName(LocalName(gift.Symbol.Name), work.Lambda) : gift.Symbol.Name;

    private static string LocalName(string member)
    {
        var name = member.StartsWith("m_", StringComparison.Ordinal) ? member.Substring(2) : member.TrimStart('_');
        return name.Length == 0 ? "own" : char.ToLowerInvariant(name[0]) + name.Substring(1);
    }

    private string TypeName(ITypeSymbol type) => type.ToMinimalDisplayString(work.Model, work.Lambda.SpanStart);

    private bool IsImported()
    {
        var provider = work.Model.Compilation.GetTypeByMetadataName("System.IServiceProvider");
        return work.Model.LookupSymbols(work.Lambda.SpanStart, provider, "GetRequiredService", includeReducedExtensionMethods: true).Length
            > 0;
    }
}

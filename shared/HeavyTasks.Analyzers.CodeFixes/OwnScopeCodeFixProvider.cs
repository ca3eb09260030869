using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Platform.HeavyTasks.Analyzers.CodeFixes;

/// <summary>
/// Fixes PLT001: gives the work a scope of its own, unless that would lose what the request did to the objects that the work uses.
/// </summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(OwnScopeCodeFixProvider)), Shared]
public sealed class OwnScopeCodeFixProvider : CodeFixProvider
{
    private const string Title = "Open a scope in the work";

    /// <inheritdoc />
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = [Rules.OutlivesRequest.Id];

    // The batch fixer does not do: two diagnostics in one work have one fix, and each fix may add the same using directive.
    /// <inheritdoc />
    public override FixAllProvider GetFixAllProvider() =>
        FixAllProvider.Create(
            static async (context, document, diagnostics) => await FixAllAsync(document, diagnostics, context.CancellationToken)
        );

    /// <inheritdoc />
    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        var root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        foreach (var diagnostic in context.Diagnostics)
        {
            if (
                root is not null
                && FindWork(root, diagnostic) is { } work
                && await OwnScope.TryPlanAsync(context.Document, work, context.CancellationToken).ConfigureAwait(false) is { } plan
            )
            {
                context.RegisterCodeFix(CodeAction.Create(Title, plan.ApplyAsync, nameof(OwnScopeCodeFixProvider)), diagnostic);
            }
        }
    }

    private static LambdaExpressionSyntax? FindWork(SyntaxNode root, Diagnostic diagnostic) =>
        diagnostic.AdditionalLocations.Count == 1
            ? root.FindNode(diagnostic.AdditionalLocations[0].SourceSpan, getInnermostNodeForTie: true) as LambdaExpressionSyntax
            : null;

    private static async Task<Document?> FixAllAsync(
        Document document,
        ImmutableArray<Diagnostic> diagnostics,
        CancellationToken cancellationToken
    )
    {
        var root = await document.GetSyntaxRootAsync(cancellationToken).ConfigureAwait(false);
        if (root is null)
        {
            return null;
        }

        // Each fix moves the text after it, so marks are needed to find the other works again.
        var works = diagnostics.Select(d => FindWork(root, d)).OfType<LambdaExpressionSyntax>().Distinct().ToList();
        var marks = works.ToDictionary(work => work, _ => new SyntaxAnnotation());
        document = document.WithSyntaxRoot(
            root.ReplaceNodes(works, (original, current) => current.WithAdditionalAnnotations(marks[original]))
        );
        foreach (var mark in marks.Values)
        {
            root = await document.GetSyntaxRootAsync(cancellationToken).ConfigureAwait(false);
            if (
                root?.GetAnnotatedNodes(mark).SingleOrDefault() is LambdaExpressionSyntax work
                && await OwnScope.TryPlanAsync(document, work, cancellationToken).ConfigureAwait(false) is { } plan
            )
            {
                document = await plan.ApplyAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        return document;
    }
}

using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Platform.HeavyTasks.Analyzers;

/// <summary>PLT002: a block holds a transaction or an open reader, and awaits something that has nothing to do with the database.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class HoldsConnectionAnalyzer : DiagnosticAnalyzer
{
    private static readonly string[] Holders =
    [
        "Microsoft.EntityFrameworkCore.Storage.IDbContextTransaction",
        "System.Data.Common.DbTransaction",
        "System.Data.Common.DbDataReader",
    ];

    /// <inheritdoc />
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [Rules.HoldsConnection];

    /// <inheritdoc />
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            var holders = Holders.Select(start.Compilation.GetTypeByMetadataName).Where(type => type is not null).ToImmutableArray();
            start.RegisterOperationAction(c => CheckAwait(c, holders!), OperationKind.Await);
        });
    }

    private static void CheckAwait(OperationAnalysisContext context, ImmutableArray<INamedTypeSymbol> holders)
    {
        var awaited = (IAwaitOperation)context.Operation;
        if (
            CallOf(awaited.Operation) is not { } call
            || !WaitsForSomethingElse(call.TargetMethod)
            || FindHolder(awaited, holders) is not { } holder
        )
        {
            return;
        }

        var name = call.TargetMethod.IsStatic
            ? $"{call.TargetMethod.ContainingType.Name}.{call.TargetMethod.Name}"
            : call.TargetMethod.Name;
        context.ReportDiagnostic(Diagnostic.Create(Rules.HoldsConnection, awaited.Syntax.GetLocation(), name, holder));
    }

    private static IInvocationOperation? CallOf(IOperation operation)
    {
        var call = operation as IInvocationOperation;
        return call is { TargetMethod.Name: "ConfigureAwait", Instance: { } inner } ? CallOf(inner) : call;
    }

    private static bool WaitsForSomethingElse(IMethodSymbol method) =>
        (method.ReducedFrom ?? method).ContainingType?.ToString() switch
        {
            "System.Threading.Tasks.Task" => method.Name == "Delay",
            "System.Net.Http.HttpClient" or "System.Net.Http.HttpMessageInvoker" or "System.Net.Mail.SmtpClient" => true,
            "System.Net.Http.Json.HttpClientJsonExtensions" or "System.Net.Http.HttpContent" => true,
            "System.IO.File" => true,
            _ => false,
        };

    /// <summary>Finds the innermost construct around the await that holds a connection.</summary>
    private static string? FindHolder(IAwaitOperation awaited, ImmutableArray<INamedTypeSymbol> holders)
    {
        IOperation inner = awaited;
        for (var outer = awaited.Parent; outer is not null; (inner, outer) = (outer, outer.Parent))
        {
            switch (outer)
            {
                case IAnonymousFunctionOperation or ILocalFunctionOperation:
                    return null;
                case IBlockOperation block:
                    // A "using var" holds its value from the declaration to the end of the block.
                    foreach (var before in block.Operations.TakeWhile(o => o != inner).OfType<IUsingDeclarationOperation>())
                    {
                        if (HolderOf(before.DeclarationGroup, awaited, block, holders) is { } declared)
                        {
                            return declared;
                        }
                    }

                    break;
                case IUsingOperation @using when inner == @using.Body:
                    if (HolderOf(@using.Resources, awaited, @using.Body, holders) is { } used)
                    {
                        return used;
                    }

                    break;
                case IForEachLoopOperation { IsAsynchronous: true } loop when inner == loop.Body && Streams(loop.Collection):
                    return "await foreach";
            }
        }

        return null;
    }

    private static string? HolderOf(
        IOperation resources,
        IAwaitOperation awaited,
        IOperation block,
        ImmutableArray<INamedTypeSymbol> holders
    ) =>
        resources
            .DescendantsAndSelf()
            .OfType<IVariableDeclaratorOperation>()
            .Select(d => d.Symbol)
            .FirstOrDefault(local => holders.Any(h => IsA(local.Type, h)) && !IsEndedBefore(local, awaited, block))
            ?.Name;

    // Judged by the order in the text: after a commit or a rollback, a transaction holds no connection.
    private static bool IsEndedBefore(ILocalSymbol local, IAwaitOperation awaited, IOperation block) =>
        block
            .Descendants()
            .OfType<IInvocationOperation>()
            .Any(call =>
                call.Syntax.SpanStart < awaited.Syntax.SpanStart
                && call.Instance is ILocalReferenceOperation instance
                && SymbolEqualityComparer.Default.Equals(instance.Local, local)
                && call.TargetMethod.Name
                    is "Commit"
                        or "CommitAsync"
                        or "Rollback"
                        or "RollbackAsync"
                        or "Dispose"
                        or "DisposeAsync"
                        or "Close"
                        or "CloseAsync"
            );

    // A query that is read row by row; a DbSet itself is one.
    private static bool Streams(IOperation collection) =>
        collection
            .DescendantsAndSelf()
            .Any(o =>
                o is IInvocationOperation { TargetMethod.Name: "AsAsyncEnumerable" } call
                    && call.TargetMethod.ContainingNamespace.ToString() == "Microsoft.EntityFrameworkCore"
                || o.Type is { Name: "DbSet" } && (o == collection || o.Parent == collection)
            );

    private static bool IsA(ITypeSymbol type, INamedTypeSymbol ancestor) =>
        type.IsOrDerivesFrom(ancestor) || type.AllInterfaces.Contains(ancestor, SymbolEqualityComparer.Default);
}

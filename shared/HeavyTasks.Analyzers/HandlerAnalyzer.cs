using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Platform.HeavyTasks.Analyzers;

/// <summary>PLT003 and PLT004: a handler of heavy tasks must leave saving and publishing to its context.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class HandlerAnalyzer : DiagnosticAnalyzer
{
    private static readonly string[] Endpoints =
    [
        "MassTransit.IPublishEndpoint",
        "MassTransit.ISendEndpoint",
        "MassTransit.ISendEndpointProvider",
        "MassTransit.IBus",
    ];

    /// <inheritdoc />
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } =
    [Rules.SavesOutsideCheckpoint, Rules.PublishesBeforeCommit];

    /// <inheritdoc />
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            if (start.Compilation.GetTypeByMetadataName("Platform.HeavyTasks.HeavyTaskHandler`1") is { } handler)
            {
                var scoped = new ScopedTypes(start.Compilation);
                start.RegisterOperationAction(c => Check(c, handler, scoped), OperationKind.Invocation);
            }
        });
    }

    private static void Check(OperationAnalysisContext context, INamedTypeSymbol handler, ScopedTypes scoped)
    {
        var call = (IInvocationOperation)context.Operation;
        if (!context.ContainingSymbol.ContainingType.IsOrDerivesFrom(handler))
        {
            return;
        }

        if (
            call.TargetMethod.Name is "SaveChanges" or "SaveChangesAsync"
            && scoped.IsDbContext(call.Instance?.Type)
            && !IsInCheckpoint(call)
        )
        {
            context.ReportDiagnostic(Diagnostic.Create(Rules.SavesOutsideCheckpoint, call.Syntax.GetLocation(), call.TargetMethod.Name));
        }
        else if (
            call.TargetMethod.Name is "Publish" or "Send" or "PublishBatch" or "SendBatch" or "GetSendEndpoint"
            && FindEndpoint(call) is { } endpoint
        )
        {
            context.ReportDiagnostic(
                Diagnostic.Create(Rules.PublishesBeforeCommit, call.Syntax.GetLocation(), call.TargetMethod.Name, endpoint)
            );
        }
    }

    private static bool IsInCheckpoint(IOperation call)
    {
        for (var outer = call.Parent; outer is not null; outer = outer.Parent)
        {
            if (outer is IInvocationOperation { TargetMethod.Name: "CheckpointAsync" })
            {
                return true;
            }
        }

        return false;
    }

    private static string? FindEndpoint(IInvocationOperation call)
    {
        var type = call.Instance?.Type ?? call.Arguments.FirstOrDefault()?.Value.Type;
        return type is null ? null
            : Endpoints.Contains(type.ToString(), StringComparer.Ordinal) ? type.Name
            : type.AllInterfaces.Any(i => Endpoints.Contains(i.ToString(), StringComparer.Ordinal)) ? type.Name
            : null;
    }
}

using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Platform.HeavyTasks.Analyzers;

/// <summary>PLT001: nobody waits for the work, and it uses something that belongs to the request.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class OutlivesRequestAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc />
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = [Rules.OutlivesRequest];

    /// <inheritdoc />
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            var scoped = new ScopedTypes(start.Compilation);
            if (!scoped.AreKnown)
            {
                return;
            }

            start.RegisterOperationAction(c => CheckInvocation(c, scoped), OperationKind.Invocation);
            start.RegisterOperationAction(c => CheckTimer(c, scoped), OperationKind.ObjectCreation);
            start.RegisterOperationAction(c => CheckAsyncVoidLambda(c, scoped), OperationKind.AnonymousFunction);
            start.RegisterOperationAction(c => CheckAsyncVoidMethod(c, scoped), OperationKind.MethodBody);
        });
    }

    private static void CheckInvocation(OperationAnalysisContext context, ScopedTypes scoped)
    {
        var call = (IInvocationOperation)context.Operation;
        if (StartsWork(call))
        {
            ReportCaptured(context, scoped, Name(call), call.Arguments.Select(a => a.Value));
            return;
        }

        if (!IsForgotten(call) || !IsTask(call.Type))
        {
            return;
        }

        // The call itself is the work, so its arguments and the object that it is called on count.
        var given = call.Arguments.Select(a => a.Value.Unwrap()).Concat(call.Instance is null ? [] : [call.Instance.Unwrap()]);
        foreach (var value in given)
        {
            if (
                Captures.SymbolOf(value) is { } symbol
                && !Captures.IsOwned(symbol, context.Operation)
                && scoped.Describe(value.Type) is { } what
            )
            {
                context.ReportDiagnostic(
                    Diagnostic.Create(Rules.OutlivesRequest, value.Syntax.GetLocation(), Name(call), what, symbol.Name)
                );
                return;
            }
        }
    }

    private static void CheckTimer(OperationAnalysisContext context, ScopedTypes scoped)
    {
        var creation = (IObjectCreationOperation)context.Operation;
        if (creation.Type is { Name: "Timer" } timer && timer.ContainingNamespace.ToString() == "System.Threading")
        {
            ReportCaptured(context, scoped, "The timer's callback", creation.Arguments.Select(a => a.Value));
        }
    }

    private static void CheckAsyncVoidLambda(OperationAnalysisContext context, ScopedTypes scoped)
    {
        var lambda = (IAnonymousFunctionOperation)context.Operation;
        if (lambda.Symbol is { IsAsync: true, ReturnsVoid: true })
        {
            Report(context, scoped, "The async void lambda", lambda.Body, lambda.Symbol);
        }
    }

    private static void CheckAsyncVoidMethod(OperationAnalysisContext context, ScopedTypes scoped)
    {
        if (
            context.ContainingSymbol is IMethodSymbol { IsAsync: true, ReturnsVoid: true } method
            && !method.Parameters.Any(p => p.Type.Name.EndsWith("EventArgs", StringComparison.Ordinal))
        )
        {
            Report(context, scoped, $"{method.Name} (async void)", context.Operation, within: null);
        }
    }

    // Methods that take work and run it later or in parallel.
    private static bool StartsWork(IInvocationOperation call)
    {
        var method = call.TargetMethod;
        return method.ContainingType?.ToString() switch
        {
            "System.Threading.Tasks.Task" => method.Name == "Run" && IsForgotten(call),
            "System.Threading.Tasks.TaskFactory" => method.Name == "StartNew" && IsForgotten(call),
            "System.Threading.ThreadPool" => method.Name is "QueueUserWorkItem" or "UnsafeQueueUserWorkItem",
            "Microsoft.AspNetCore.Http.HttpResponse" => method.Name == "OnCompleted",
            _ => TakesIntoQueue(method),
        };
    }

    private static bool TakesIntoQueue(IMethodSymbol method) =>
        method.Name.StartsWith("Enqueue", StringComparison.Ordinal)
        || method.Name.StartsWith("Queue", StringComparison.Ordinal)
        || method.Name is "TryWrite" or "WriteAsync" && method.ContainingType?.Name == "ChannelWriter";

    private static bool IsForgotten(IInvocationOperation call)
    {
        IOperation value = call;
        while (value.Parent is IConversionOperation or IParenthesizedOperation)
        {
            value = value.Parent;
        }

        return value.Parent is IExpressionStatementOperation or ISimpleAssignmentOperation { Target: IDiscardOperation };
    }

    private static bool IsTask(ITypeSymbol? type) =>
        type is { Name: "Task" or "ValueTask" } && type.ContainingNamespace.ToString() == "System.Threading.Tasks";

    private static void ReportCaptured(OperationAnalysisContext context, ScopedTypes scoped, string work, IEnumerable<IOperation> arguments)
    {
        foreach (var argument in arguments.Select(Operations.Unwrap))
        {
            if (argument is IAnonymousFunctionOperation lambda)
            {
                Report(context, scoped, work, lambda.Body, lambda.Symbol);
            }
        }
    }

    private static void Report(OperationAnalysisContext context, ScopedTypes scoped, string work, IOperation body, IMethodSymbol? within)
    {
        // A code fix finds the work by the additional location.
        var lambda = within is null ? [] : new[] { body.Parent!.Syntax.GetLocation() };
        foreach (var captured in Captures.Of(body, within, scoped))
        {
            context.ReportDiagnostic(
                Diagnostic.Create(
                    Rules.OutlivesRequest,
                    captured.Use.Syntax.GetLocation(),
                    lambda,
                    work,
                    captured.Description,
                    captured.Symbol.Name
                )
            );
        }
    }

    private static string Name(IInvocationOperation call) =>
        call.TargetMethod is { IsStatic: true, ContainingType: { } type } method ? $"{type.Name}.{method.Name}" : call.TargetMethod.Name;
}

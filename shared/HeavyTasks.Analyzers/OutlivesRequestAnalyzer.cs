using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Platform.HeavyTasks.Analyzers;

/// <summary>PLT001: work that nobody waits for, and that uses what belongs to the request.</summary>
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

        // The call itself is the work: what it is given, and what it is called on.
        var given = call.Arguments.Select(a => Unwrap(a.Value)).Concat(call.Instance is null ? [] : [Unwrap(call.Instance)]);
        foreach (var value in given)
        {
            if (SymbolOf(value) is { } symbol && !IsOwned(symbol, context.Operation) && scoped.Describe(value.Type) is { } what)
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

    // Methods that take work and run it later, or beside the caller.
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
        foreach (var argument in arguments.Select(Unwrap))
        {
            if (argument is IAnonymousFunctionOperation lambda)
            {
                Report(context, scoped, work, lambda.Body, lambda.Symbol);
            }
        }
    }

    /// <summary>Reports the first use of each thing that the work did not make itself.</summary>
    private static void Report(OperationAnalysisContext context, ScopedTypes scoped, string work, IOperation body, IMethodSymbol? within)
    {
        var reported = new HashSet<ISymbol>(SymbolEqualityComparer.Default);
        var ownsScope = body.Descendants().Any(o => SymbolOf(o) is ILocalSymbol { Type.Name: "IServiceScope" or "AsyncServiceScope" });
        foreach (var use in body.Descendants())
        {
            if (
                SymbolOf(use) is not { } symbol
                || reported.Contains(symbol)
                || IsMadeInside(symbol, body, within)
                || scoped.Describe(use.Type) is not { } what
                || symbol is ILocalSymbol && ownsScope
                || IsOwned(symbol, context.Operation)
            )
            {
                continue;
            }

            reported.Add(symbol);
            context.ReportDiagnostic(Diagnostic.Create(Rules.OutlivesRequest, use.Syntax.GetLocation(), work, what, symbol.Name));
        }
    }

    /// <summary>A parameter, a local, or a field or property of this object.</summary>
    private static ISymbol? SymbolOf(IOperation operation) =>
        operation switch
        {
            ILocalReferenceOperation local => local.Local,
            IParameterReferenceOperation parameter => parameter.Parameter,
            IFieldReferenceOperation { Instance: IInstanceReferenceOperation } field => field.Field,
            IPropertyReferenceOperation { Instance: IInstanceReferenceOperation } property => property.Property,
            _ => null,
        };

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

    // A local that was made by hand or by a factory, not given by the container: whoever made it disposes it.
    private static bool IsOwned(ISymbol symbol, IOperation anywhere)
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
        value = value is null ? null : Unwrap(value);
        value = value is IAwaitOperation awaited ? Unwrap(awaited.Operation) : value;
        return value is IObjectCreationOperation
            || value is IInvocationOperation { TargetMethod.Name: var name }
                && name.StartsWith("CreateDbContext", StringComparison.Ordinal);
    }

    private static IOperation Unwrap(IOperation operation) =>
        operation switch
        {
            IConversionOperation conversion => Unwrap(conversion.Operand),
            IDelegateCreationOperation creation => Unwrap(creation.Target),
            IParenthesizedOperation parenthesized => Unwrap(parenthesized.Operand),
            _ => operation,
        };

    private static string Name(IInvocationOperation call) =>
        call.TargetMethod is { IsStatic: true, ContainingType: { } type } method ? $"{type.Name}.{method.Name}" : call.TargetMethod.Name;
}

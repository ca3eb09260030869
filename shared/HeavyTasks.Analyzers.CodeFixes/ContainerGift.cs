using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace Platform.HeavyTasks.Analyzers.CodeFixes;

/// <summary>
/// Something that the work takes from its request and that the container provided by type, so another scope can provide it, too.
/// </summary>
internal sealed class ContainerGift
{
    private ContainerGift(ISymbol symbol, ITypeSymbol type)
    {
        Symbol = symbol;
        Type = type;
    }

    public ISymbol Symbol { get; }

    public ITypeSymbol Type { get; }

    /// <summary>
    /// The parameter of a lambda that is an endpoint. Only the framework calls the lambda, so the parameter may be removed.
    /// </summary>
    public ParameterSyntax? EndpointParameter { get; private set; }

    /// <summary>
    /// A local that was resolved from a scope which nobody disposes: the statement to remove, and the factory of that scope.
    /// </summary>
    public (LocalDeclarationStatementSyntax Statement, string Factory)? Local { get; private set; }

    /// <summary>Whether it is a parameter of a primary constructor, a field or a property: other code may have used it before.</summary>
    public bool BelongsToObject { get; private set; }

    public static ContainerGift? TryRead(Work work, ISymbol symbol) =>
        symbol switch
        {
            IParameterSymbol parameter => ReadParameter(work, parameter),
            IFieldSymbol { IsStatic: false, IsReadOnly: true } field when IsFromConstructor(work, field, field.Type) => new(
                field,
                field.Type
            )
            {
                BelongsToObject = true,
            },
            IPropertySymbol { IsStatic: false, SetMethod: null } property when IsFromConstructor(work, property, property.Type) => new(
                property,
                property.Type
            )
            {
                BelongsToObject = true,
            },
            ILocalSymbol local => ReadLocal(work, local),
            _ => null,
        };

    private static ContainerGift? ReadParameter(Work work, IParameterSymbol parameter)
    {
        var attributes = parameter.GetAttributes();
        var fromServices = attributes.Any(a => a.AttributeClass?.Name == "FromServicesAttribute");
        if (
            parameter.RefKind != RefKind.None
            || parameter.IsParams
            || parameter.HasExplicitDefaultValue
            || attributes.Length > (fromServices ? 1 : 0)
            || parameter.DeclaringSyntaxReferences.Length != 1
            || parameter.DeclaringSyntaxReferences[0].GetSyntax() is not ParameterSyntax syntax
        )
        {
            return null;
        }

        return parameter.ContainingSymbol switch
        {
            IMethodSymbol { MethodKind: MethodKind.AnonymousFunction } when IsEndpoint(work.Model, syntax) => new(parameter, parameter.Type)
            {
                EndpointParameter = syntax,
            },
            IMethodSymbol { MethodKind: MethodKind.Constructor } => new(parameter, parameter.Type) { BelongsToObject = true },
            IMethodSymbol { MethodKind: MethodKind.Ordinary } when fromServices => new(parameter, parameter.Type),
            _ => null,
        };
    }

    // app.MapPost("/orders", (int id, ShopDbContext db) => ...): the lambda is passed as a Delegate, and its parameters are found by type.
    private static bool IsEndpoint(SemanticModel model, ParameterSyntax parameter) =>
        parameter.Parent?.Parent is ParenthesizedLambdaExpressionSyntax { Parent: ArgumentSyntax { Parent.Parent: { } call } }
        && model.GetSymbolInfo(call).Symbol is IMethodSymbol method
        && (method.ReducedFrom ?? method).ContainingType.ToString() == "Microsoft.AspNetCore.Builder.EndpointRouteBuilderExtensions";

    // The constructor sets the member, and nothing changes it afterwards, because it is read-only.
    private static bool IsFromConstructor(Work work, ISymbol member, ITypeSymbol type)
    {
        if (member.ContainingType.DeclaringSyntaxReferences.Length != 1)
        {
            return false;
        }

        var reference = member.ContainingType.DeclaringSyntaxReferences[0];
        var declaration = reference.GetSyntax();
        var values = declaration
            .DescendantNodes()
            .OfType<AssignmentExpressionSyntax>()
            .Where(a => SymbolEqualityComparer.Default.Equals(work.Model.GetSymbolInfo(a.Left).Symbol, member))
            .Select(a => a.Right)
            .Concat(member.DeclaringSyntaxReferences.Select(r => r.GetSyntax()).Select(InitializerOf).OfType<ExpressionSyntax>())
            .ToList();
        return reference.SyntaxTree == work.Lambda.SyntaxTree
            && values.Count > 0
            && values.All(value =>
                work.Model.GetSymbolInfo(value).Symbol
                    is IParameterSymbol { ContainingSymbol: IMethodSymbol { MethodKind: MethodKind.Constructor } } given
                && SymbolEqualityComparer.Default.Equals(given.Type, type)
                && given.GetAttributes().IsEmpty
            );
    }

    private static ExpressionSyntax? InitializerOf(SyntaxNode member) =>
        member switch
        {
            VariableDeclaratorSyntax field => field.Initializer?.Value,
            PropertyDeclarationSyntax property => property.Initializer?.Value ?? property.ExpressionBody?.Expression,
            _ => null,
        };

    // var db = scopes.CreateScope().ServiceProvider.GetRequiredService<ShopDbContext>();
    private static ContainerGift? ReadLocal(Work work, ILocalSymbol local)
    {
        if (
            local.DeclaringSyntaxReferences.Length != 1
            || local.DeclaringSyntaxReferences[0].GetSyntax()
                is not VariableDeclaratorSyntax
                {
                    Initializer.Value: InvocationExpressionSyntax resolve,
                    Parent: VariableDeclarationSyntax { Variables.Count: 1, Parent: LocalDeclarationStatementSyntax statement },
                }
            || !statement.UsingKeyword.IsKind(SyntaxKind.None)
            || statement.Parent is not BlockSyntax
            || work.Model.GetOperation(resolve)
                is not IInvocationOperation { TargetMethod: { Name: "GetRequiredService", TypeArguments: { Length: 1 } types } }
            || resolve.Expression
                is not MemberAccessExpressionSyntax
                {
                    Expression: MemberAccessExpressionSyntax
                    {
                        Name.Identifier.ValueText: "ServiceProvider",
                        Expression: InvocationExpressionSyntax
                        {
                            Expression: MemberAccessExpressionSyntax
                            {
                                Name.Identifier.ValueText: "CreateScope" or "CreateAsyncScope",
                                Expression: IdentifierNameSyntax factory,
                            },
                        },
                    },
                }
            || !ScopeFactory.Is(work.Model.GetTypeInfo(factory).Type)
        )
        {
            return null;
        }

        return new(local, types[0]) { Local = (statement, factory.Identifier.Text) };
    }
}

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace Platform.HeavyTasks.Analyzers.CodeFixes;

/// <summary>
/// Tells whether the work relies on what the request did with objects that both use: tracked changes that are not saved, loaded entities, a
/// transaction. A scope of its own would lose these silently, which would be worse than the defect.
/// </summary>
internal sealed class SharedState(Work work, ScopedTypes scoped, IReadOnlyList<ContainerGift> gifts)
{
    private const int MaxDepth = 3;

    public bool MayExist() =>
        gifts.Any(IsUsedElsewhere)
        || gifts.Any(OnlySavesOrIsAssigned)
        || gifts.Any(g => g.BelongsToObject) && CallsItsObject()
        || TakesData();

    private bool IsUsedElsewhere(ContainerGift gift) => work.UsesOf(gift.Symbol).Any(use => !work.Contains(use));

    // Work that only saves must save what other code has tracked.
    private bool OnlySavesOrIsAssigned(ContainerGift gift)
    {
        var uses = work.UsesOf(gift.Symbol).Select(Whole).ToList();
        return scoped.IsDbContext(gift.Type)
                && uses.TrueForAll(use =>
                    use.Parent is MemberAccessExpressionSyntax { Name.Identifier.ValueText: "SaveChanges" or "SaveChangesAsync" } access
                    && access.Expression == use
                )
            || uses.Exists(use =>
                use.Parent is AssignmentExpressionSyntax assignment && assignment.Left == use
                || use.Parent is ArgumentSyntax argument && !argument.RefKindKeyword.IsKind(SyntaxKind.None)
            );
    }

    // this.db and db are the same object.
    private static ExpressionSyntax Whole(IdentifierNameSyntax use) =>
        use.Parent is MemberAccessExpressionSyntax { Expression: ThisExpressionSyntax } access && access.Name == use ? access : use;

    // Methods of the object may use the same field, before the work or during it.
    private bool CallsItsObject() =>
        work
            .Member.DescendantNodes()
            .Any(node =>
                node switch
                {
                    InvocationExpressionSyntax call => work.Model.GetOperation(call)
                        is IInvocationOperation
                        {
                            Instance: IInstanceReferenceOperation,
                            TargetMethod.DeclaringSyntaxReferences.IsEmpty: false
                        },
                    ThisExpressionSyntax => node.Parent is not MemberAccessExpressionSyntax,
                    _ => false,
                }
            );

    private bool TakesData()
    {
        var entities = new HashSet<ITypeSymbol>(gifts.SelectMany(g => EntitiesOf(g.Type, MaxDepth)), SymbolEqualityComparer.Default);
        var taken = new HashSet<ISymbol>(gifts.Select(g => g.Symbol), SymbolEqualityComparer.Default);
        return work
            .Operation.Body.Descendants()
            .Any(use =>
                Captures.SymbolOf(use) is { } symbol
                && !taken.Contains(symbol)
                && !symbol.DeclaringSyntaxReferences.Any(r => work.Lambda.Span.Contains(r.Span))
                && TypesIn(use.Type).Any(type => entities.Contains(type) || IsData(type))
            );
    }

    private IEnumerable<ITypeSymbol> EntitiesOf(ITypeSymbol type, int depth)
    {
        if (scoped.IsDbContext(type))
        {
            for (var current = type; current is not null; current = current.BaseType)
            {
                foreach (var set in current.GetMembers().OfType<IPropertySymbol>().Select(p => p.Type).OfType<INamedTypeSymbol>())
                {
                    if (set is { Name: "DbSet", TypeArguments.Length: 1 })
                    {
                        yield return set.TypeArguments[0];
                    }
                }
            }
        }
        else if (depth > 0 && type is INamedTypeSymbol service)
        {
            foreach (
                var entity in service.InstanceConstructors.SelectMany(c => c.Parameters).SelectMany(p => EntitiesOf(p.Type, depth - 1))
            )
            {
                yield return entity;
            }
        }
    }

    // A class of this project with settable members may be an entity, even if no DbSet names it.
    private static bool IsData(ITypeSymbol type) =>
        type is { TypeKind: TypeKind.Class, IsRecord: false, DeclaringSyntaxReferences.IsEmpty: false }
        && type.GetMembers()
            .OfType<IPropertySymbol>()
            .Any(p => p is { IsStatic: false, SetMethod.DeclaredAccessibility: Accessibility.Public });

    private static IEnumerable<ITypeSymbol> TypesIn(ITypeSymbol? type) =>
        type switch
        {
            null => [],
            IArrayTypeSymbol array => TypesIn(array.ElementType),
            INamedTypeSymbol { TypeArguments.IsEmpty: false } named => named.TypeArguments.SelectMany(TypesIn).Prepend(named),
            _ => [type],
        };
}

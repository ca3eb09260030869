using Microsoft.CodeAnalysis;

namespace Platform.HeavyTasks.Analyzers;

/// <summary>
/// Tells which types live as long as a request: contexts of Entity Framework, the parts of an HTTP request, and classes whose constructor
/// takes one of these, because a class that lives longer could not.
/// </summary>
internal sealed class ScopedTypes(Compilation compilation)
{
    private const int MaxDepth = 3;

    private readonly INamedTypeSymbol? dbContext = compilation.GetTypeByMetadataName("Microsoft.EntityFrameworkCore.DbContext");
    private readonly INamedTypeSymbol?[] ofRequest =
    [
        compilation.GetTypeByMetadataName("Microsoft.AspNetCore.Http.HttpContext"),
        compilation.GetTypeByMetadataName("Microsoft.AspNetCore.Http.HttpRequest"),
        compilation.GetTypeByMetadataName("Microsoft.AspNetCore.Http.HttpResponse"),
    ];

    public bool AreKnown => dbContext is not null || ofRequest.Any(type => type is not null);

    public bool IsDbContext(ITypeSymbol? type) => type.IsOrDerivesFrom(dbContext);

    /// <summary>The words for the type in a message; null when it does not belong to a request.</summary>
    public string? Describe(ITypeSymbol? type) =>
        IsDbContext(type) ? "the DbContext"
        : ofRequest.Any(part => type.IsOrDerivesFrom(part)) ? "the request's"
        : IsScopedService(type, MaxDepth) ? "the scoped service"
        : null;

    private bool IsScopedService(ITypeSymbol? type, int depth) =>
        depth > 0
        && type is INamedTypeSymbol { TypeKind: TypeKind.Class, IsAbstract: false } named
        && named.DeclaringSyntaxReferences.Length > 0
        && named.InstanceConstructors.Any(constructor =>
            constructor.DeclaredAccessibility is Accessibility.Public or Accessibility.Internal
            && constructor.Parameters.Any(p =>
                IsDbContext(p.Type) || ofRequest.Any(part => p.Type.IsOrDerivesFrom(part)) || IsScopedService(p.Type, depth - 1)
            )
        );
}

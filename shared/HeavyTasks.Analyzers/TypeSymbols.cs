using Microsoft.CodeAnalysis;

namespace Platform.HeavyTasks.Analyzers;

internal static class TypeSymbols
{
    /// <summary>Whether a type is a class or derives from it, whatever its type arguments. False if either is unknown.</summary>
    public static bool IsOrDerivesFrom(this ITypeSymbol? type, INamedTypeSymbol? ancestor)
    {
        for (var current = type; ancestor is not null && current is not null; current = current.BaseType)
        {
            if (SymbolEqualityComparer.Default.Equals(current.OriginalDefinition, ancestor))
            {
                return true;
            }
        }

        return false;
    }
}

using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Platform.HeavyTasks.Analyzers;

internal static class Operations
{
    /// <summary>Removes the conversions and parentheses around an operation.</summary>
    public static IOperation Unwrap(this IOperation operation) =>
        operation switch
        {
            IConversionOperation conversion => Unwrap(conversion.Operand),
            IDelegateCreationOperation creation => Unwrap(creation.Target),
            IParenthesizedOperation parenthesized => Unwrap(parenthesized.Operand),
            _ => operation,
        };
}

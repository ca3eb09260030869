using System.ComponentModel.DataAnnotations;

namespace Platform.Persistence;

/// <summary>Refuses what cannot separate the fields of a CSV file.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class CsvDelimiterAttribute : ValidationAttribute
{
    /// <summary>Why a text is refused.</summary>
    public const string Refusal =
        "One character is expected that separates fields, such as a comma, a semicolon, a tab or a bar; not a letter, digit, space, quote or line break.";

    /// <summary>Whether a character can separate fields.</summary>
    public static bool CanSeparate(char c) =>
        c == '\t'
        || (c is not ('"' or '\0' or '\uFEFF' or '\uFFFD') && !char.IsLetterOrDigit(c) && !char.IsWhiteSpace(c) && !char.IsSurrogate(c));

    /// <inheritdoc />
    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext) =>
        value is not string { Length: 1 } text || CanSeparate(text[0])
            ? ValidationResult.Success
            : new ValidationResult(Refusal, [validationContext?.MemberName ?? ""]);
}

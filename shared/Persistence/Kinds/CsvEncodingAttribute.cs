using System.ComponentModel.DataAnnotations;

namespace Platform.Persistence;

/// <summary>Refuses the name of an encoding that cannot be read.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class CsvEncodingAttribute : ValidationAttribute
{
    /// <inheritdoc />
    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext) =>
        value is not string name || CsvEncodingNames.TryFind(name, out _)
            ? ValidationResult.Success
            : new ValidationResult(CsvEncodingNames.Refusal(name), [validationContext?.MemberName ?? ""]);
}

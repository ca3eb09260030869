using System.ComponentModel.DataAnnotations;
using Platform.Contracts;

namespace Platform.Persistence;

/// <summary>Imports users from an uploaded CSV file with a header row.</summary>
[HeavyTaskKind("users.import", Description = "Imports users from an uploaded CSV file; bad rows go to rejected.csv.")]
public sealed record ImportUsersParameters
{
    /// <summary>The file, as returned by <c>POST /files</c>.</summary>
    [Required]
    public required Guid FileId { get; init; }

    /// <summary>Which column of the file feeds which field.</summary>
    [Required]
    public required ImportUsersColumns Columns { get; init; }

    /// <summary>What to do with a row whose <c>externalId</c> exists already. Default <see cref="ExistingUser.Skip"/>.</summary>
    public ExistingUser OnExisting { get; init; } = ExistingUser.Skip;

    /// <summary>The column delimiter, one character. Default: found out from the header row (comma, semicolon, tab or bar).</summary>
    [StringLength(1, MinimumLength = 1)]
    public string? Delimiter { get; init; }

    /// <summary>The name of the text encoding, such as <c>utf-8</c>, <c>utf-16</c> or <c>windows-1252</c>. Default <c>utf-8</c>; a byte order mark wins.</summary>
    [StringLength(40, MinimumLength = 1)]
    public string Encoding { get; init; } = "utf-8";
}

/// <summary>Column names, exactly as in the header row.</summary>
public sealed record ImportUsersColumns
{
    /// <summary>The column that identifies the user; required, unique, at most 100 characters.</summary>
    [Required, StringLength(200, MinimumLength = 1)]
    public required string ExternalId { get; init; }

    /// <summary>The column with the name; required, at most 200 characters.</summary>
    [Required, StringLength(200, MinimumLength = 1)]
    public required string Name { get; init; }

    /// <summary>The column with the e-mail address, at most 320 characters; optional.</summary>
    [StringLength(200, MinimumLength = 1)]
    public string? Email { get; init; }

    /// <summary>The column with the country, at most 60 characters; optional.</summary>
    [StringLength(200, MinimumLength = 1)]
    public string? Country { get; init; }

    /// <summary>The column with the sign-up time, ISO 8601 (a date, or a date and time; without offset it is UTC); optional.</summary>
    [StringLength(200, MinimumLength = 1)]
    public string? SignedUpAt { get; init; }
}

/// <summary>What an import does with a row whose <c>externalId</c> exists already.</summary>
public enum ExistingUser
{
    /// <summary>Keep the stored user; the row counts as skipped.</summary>
    Skip,

    /// <summary>Overwrite the mapped columns of the stored user.</summary>
    Update,

    /// <summary>Fail the task at the first such row. Batches that were committed before it stay.</summary>
    Fail,
}

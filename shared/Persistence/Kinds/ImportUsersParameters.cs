using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Platform.Contracts;

namespace Platform.Persistence;

/// <summary>Imports users from an uploaded CSV file with a header row.</summary>
[HeavyTaskKind("users.import", Description = "Imports users from an uploaded CSV file; bad rows go to rejected.csv.")]
public sealed record ImportUsersParameters
{
    /// <summary>The id of the file, as <c>POST /files</c> returned it.</summary>
    [Required]
    public required Guid FileId { get; init; }

    /// <summary>Which column of the file goes into which field.</summary>
    [Required]
    public required ImportUsersColumns Columns { get; init; }

    /// <summary>What to do with a row whose <c>externalId</c> exists already. Default <see cref="ExistingUser.Skip"/>.</summary>
    public ExistingUser OnExisting { get; init; } = ExistingUser.Skip;

    /// <summary>
    /// The column delimiter: one character, but no letter, digit, space, quote or line break. Default: the one that a first line such as
    /// <c>sep=;</c> names, else detected from the header row (comma, semicolon, tab or bar).
    /// </summary>
    [StringLength(1, MinimumLength = 1, ErrorMessage = CsvDelimiterAttribute.Refusal), CsvDelimiter]
    public string? Delimiter { get; init; }

    /// <summary>
    /// The name of the text encoding, such as <c>utf-8</c>, <c>utf-16</c>, <c>windows-1252</c> or <c>shift_jis</c>, in any usual spelling.
    /// Default <c>utf-8</c>. A byte order mark in the file overrides it.
    /// </summary>
    [StringLength(40, MinimumLength = 1), CsvEncoding]
    public string Encoding { get; init; } = "utf-8";

    /// <summary>
    /// Makes <c>rejected.csv</c> safe to open in a spreadsheet program: an apostrophe is put before what such a program would take for a
    /// formula. Default: rows stand there exactly as they were in the file.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] // A worker of an older version does not know it.
    public bool Spreadsheet { get; init; }
}

/// <summary>The names of the columns, exactly as in the header row.</summary>
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

    /// <summary>The column with the sign-up time, ISO 8601 (a date, or a date and time; UTC unless it has an offset); optional.</summary>
    [StringLength(200, MinimumLength = 1)]
    public string? SignedUpAt { get; init; }
}

/// <summary>What an import does with a row whose <c>externalId</c> exists already.</summary>
public enum ExistingUser
{
    /// <summary>Keep the stored user unchanged; the row counts as skipped.</summary>
    Skip,

    /// <summary>Overwrite the mapped columns of the stored user.</summary>
    Update,

    /// <summary>Fail the task at the first such row. Batches that were committed before it stay in the database.</summary>
    Fail,
}

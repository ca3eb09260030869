using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Platform.Contracts;

namespace Platform.Persistence;

/// <summary>
/// Exports users to a CSV file. The export reads pages while others write, so it is not a snapshot: a user who is changed during the export
/// appears as the page saw them, and every user who exists from start to end appears once.
/// </summary>
[HeavyTaskKind("users.export", Description = "Exports the users that match a filter to a CSV file (read in pages, not a snapshot).")]
public sealed record ExportUsersParameters
{
    /// <summary>Exports only users of this country; default all.</summary>
    [StringLength(60, MinimumLength = 1)]
    public string? Country { get; init; }

    /// <summary>Exports only users who signed up at this time or later; default all.</summary>
    public DateTimeOffset? SignedUpFrom { get; init; }

    /// <summary>Exports only users who signed up before this time; default all.</summary>
    public DateTimeOffset? SignedUpBefore { get; init; }

    /// <summary>
    /// Makes the file safe to open in a spreadsheet program: an apostrophe is put before a value that such a program would take for a
    /// formula. Default: values are exact.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] // A worker of an older version does not know it.
    public bool Spreadsheet { get; init; }
}

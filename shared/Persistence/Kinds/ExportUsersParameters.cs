using System.ComponentModel.DataAnnotations;
using Platform.Contracts;

namespace Platform.Persistence;

/// <summary>
/// Exports users to a CSV file. Read in pages while others write, so it is not a snapshot: a user changed during the export
/// appears as the page saw it; every user that exists from start to end appears once.
/// </summary>
[HeavyTaskKind("users.export", Description = "Exports the users that match a filter to a CSV file (read in pages, not a snapshot).")]
public sealed record ExportUsersParameters
{
    /// <summary>Only users of this country; default all.</summary>
    [StringLength(60, MinimumLength = 1)]
    public string? Country { get; init; }

    /// <summary>Only users who signed up at this time or later; default all.</summary>
    public DateTimeOffset? SignedUpFrom { get; init; }

    /// <summary>Only users who signed up before this time; default all.</summary>
    public DateTimeOffset? SignedUpBefore { get; init; }
}

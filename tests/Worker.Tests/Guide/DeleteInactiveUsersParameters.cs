using System.ComponentModel.DataAnnotations;
using Platform.Contracts;

namespace Platform.Persistence;

/// <summary>Deletes the users who signed up before a time.</summary>
[HeavyTaskKind("users.delete-inactive", Description = "Deletes the users who signed up before a time.")]
public sealed record DeleteInactiveUsersParameters
{
    /// <summary>Users who signed up before this time are deleted.</summary>
    [Required]
    public required DateTimeOffset SignedUpBefore { get; init; }
}

using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>What an import knows about a user.</summary>
/// <param name="ExternalId">The id in the source system.</param>
/// <param name="Name">The user's name.</param>
/// <param name="Email">The user's e-mail address.</param>
/// <param name="Country">The user's country.</param>
/// <param name="SignedUpAt">When the user signed up (UTC).</param>
public readonly record struct UserRow(string ExternalId, string Name, string? Email, string? Country, DateTime? SignedUpAt);

/// <summary>The columns of a user that are optional in an import.</summary>
[Flags]
public enum UserColumns
{
    /// <summary>Only the external id and the name, which every import has.</summary>
    None = 0,

    /// <summary>The e-mail address.</summary>
    Email = 1,

    /// <summary>The country.</summary>
    Country = 2,

    /// <summary>The sign-up time.</summary>
    SignedUpAt = 4,
}

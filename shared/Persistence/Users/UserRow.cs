using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>What an import knows of a user.</summary>
/// <param name="ExternalId">The id at the source.</param>
/// <param name="Name">Name.</param>
/// <param name="Email">E-mail address.</param>
/// <param name="Country">Country.</param>
/// <param name="SignedUpAt">When they signed up (UTC).</param>
public readonly record struct UserRow(string ExternalId, string Name, string? Email, string? Country, DateTime? SignedUpAt);

/// <summary>The columns of a user that an import may or may not bring.</summary>
[Flags]
public enum UserColumns
{
    /// <summary>Only the external id and the name, which every import brings.</summary>
    None = 0,

    /// <summary>The e-mail address.</summary>
    Email = 1,

    /// <summary>The country.</summary>
    Country = 2,

    /// <summary>The sign-up time.</summary>
    SignedUpAt = 4,
}

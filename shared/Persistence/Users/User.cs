using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>A person in the table that heavy tasks work on and light endpoints read.</summary>
public sealed class User
{
    /// <summary>The longest <see cref="ExternalId"/>, in characters.</summary>
    public const int MaxExternalIdLength = 100;

    /// <summary>The longest <see cref="Name"/>, in characters.</summary>
    public const int MaxNameLength = 200;

    /// <summary>The longest <see cref="Email"/>, in characters.</summary>
    public const int MaxEmailLength = 320;

    /// <summary>The longest <see cref="Country"/>, in characters.</summary>
    public const int MaxCountryLength = 60;

    /// <summary>The id, assigned by the database in rising order.</summary>
    public long Id { get; set; }

    /// <summary>The tenant whose task imported the user, and who alone sees it; empty when it belongs to no tenant.</summary>
    public string TenantId { get; set; } = "";

    /// <summary>The id in the source system; unique in its tenant.</summary>
    public string ExternalId { get; set; } = "";

    /// <summary>The user's name.</summary>
    public string Name { get; set; } = "";

    /// <summary>The user's e-mail address.</summary>
    public string? Email { get; set; }

    /// <summary>The user's country.</summary>
    public string? Country { get; set; }

    /// <summary>When the user signed up (UTC).</summary>
    public DateTime? SignedUpAt { get; set; }
}

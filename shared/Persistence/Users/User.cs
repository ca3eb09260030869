using Platform.HeavyTasks;

namespace Platform.Persistence;

/// <summary>A person in the table that the heavy tasks work on and that the light endpoints read.</summary>
public sealed class User
{
    /// <summary>Longest <see cref="ExternalId"/>, in characters.</summary>
    public const int MaxExternalIdLength = 100;

    /// <summary>Longest <see cref="Name"/>, in characters.</summary>
    public const int MaxNameLength = 200;

    /// <summary>Longest <see cref="Email"/>, in characters.</summary>
    public const int MaxEmailLength = 320;

    /// <summary>Longest <see cref="Country"/>, in characters.</summary>
    public const int MaxCountryLength = 60;

    /// <summary>Given by the database; rises.</summary>
    public long Id { get; set; }

    /// <summary>The id at the source; unique.</summary>
    public string ExternalId { get; set; } = "";

    /// <summary>Name.</summary>
    public string Name { get; set; } = "";

    /// <summary>E-mail address.</summary>
    public string? Email { get; set; }

    /// <summary>Country.</summary>
    public string? Country { get; set; }

    /// <summary>When they signed up (UTC).</summary>
    public DateTime? SignedUpAt { get; set; }
}

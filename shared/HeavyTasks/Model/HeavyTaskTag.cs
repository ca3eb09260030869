using System.Buffers;

namespace Platform.HeavyTasks;

/// <summary>A tag of a task: a word by which people find it again, such as the number of an order.</summary>
public class HeavyTaskTag
{
    /// <summary>The longest tag, in characters.</summary>
    internal const int MaxLength = 64;

    /// <summary>What a tag is, for who sent something else.</summary>
    internal const string Expected = "1 to 64 letters, digits and ._:/@#+- are expected.";

    private static readonly SearchValues<char> Characters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/@#+-"
    );

    /// <summary>The id of the task.</summary>
    public Guid TaskId { get; init; }

    /// <summary>The tag.</summary>
    public string Tag { get; init; } = "";

    /// <summary>
    /// The tenant of the task and the tag in one text, by which a tenant finds its own; null when the task belongs to none. One column has one
    /// index that serves: with two conditions MariaDB reads two indexes and sorts what is in both.
    /// </summary>
    public string? TenantTag { get; init; }

    /// <summary>The <see cref="TenantTag"/> of a tenant and a tag.</summary>
    internal static string? TenantTagOf(string tenantId, string tag) => tenantId == Tenants.None ? null : $"{tenantId} {tag}";

    /// <summary>Whether a text can be a tag: 1 to 64 letters of ASCII, digits and <c>._:/@#+-</c>.</summary>
    internal static bool IsTag(string? text) => text is { Length: > 0 and <= MaxLength } && !text.AsSpan().ContainsAnyExcept(Characters);
}

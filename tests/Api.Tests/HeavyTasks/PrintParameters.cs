using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace Platform.Api.Tests.HeavyTasks;

/// <summary>Parameters with a member of every sort. The API is not built with their kind.</summary>
internal sealed record PrintParameters
{
    [Required, StringLength(10, MinimumLength = 1)]
    public string? Title { get; init; }

    [Range(1, 9)]
    public int Copies { get; init; } = 1;

    public Paper Paper { get; init; }

    public DateTimeOffset? When { get; init; }

    public Guid? File { get; init; }

    [RegularExpression("[a-z]+")]
    public string? Code { get; init; }

    public bool IsColour { get; init; }

    public Page? Page { get; init; }

    [MaxLength(3)]
    public IReadOnlyList<int> Pages { get; init; } = [];

    public IReadOnlyDictionary<string, int> Marks { get; init; } = new Dictionary<string, int>();

    public JsonElement? Any { get; init; }
}

internal sealed record Page
{
    public int Width { get; init; }

    public Page? Next { get; init; }
}

internal sealed record PrintParametersOfNextVersion(string Heading);

internal enum Paper
{
    A4,
    A5,
}

namespace Platform.Cli.Api;

/// <summary>The answer to <c>POST /heavy-tasks/kinds/{kind}/purge</c>.</summary>
internal sealed record PurgedKind
{
    /// <summary>The name of the kind.</summary>
    public required string Kind { get; init; }

    /// <summary>How many tasks this request cancelled.</summary>
    public required int Cancelled { get; init; }

    /// <summary>Whether more of them may wait.</summary>
    public required bool HasMore { get; init; }

    /// <summary>Tasks that were submitted before this time were cancelled (UTC).</summary>
    public DateTime? CreatedBefore { get; init; }
}

namespace Platform.Cli.Api;

/// <summary><c>GET /heavy-tasks/{id}/log</c>: what the handler of a task logged for people.</summary>
internal sealed record HeavyTaskLog
{
    /// <summary>The lines, oldest first.</summary>
    public required IReadOnlyList<LogLine> Lines { get; init; }

    /// <summary>Whether there are earlier lines.</summary>
    public bool HasEarlier { get; init; }
}

/// <summary>One line.</summary>
internal sealed record LogLine
{
    public int Attempt { get; init; }

    public DateTimeOffset? At { get; init; }

    /// <summary>Trace to Critical. A string, so that a level of a newer API is shown and not refused.</summary>
    public string Level { get; init; } = "";

    public string Text { get; init; } = "";
}

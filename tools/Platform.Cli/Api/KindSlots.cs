namespace Platform.Cli.Api;

/// <summary>The body of <c>PUT /heavy-tasks/kinds/{kind}/slots</c>.</summary>
/// <param name="Slots">How many tasks of the kind each worker runs at once at most; null: as the workers are configured.</param>
internal sealed record NewKindSlots(int? Slots);

/// <summary>The answer to <c>PUT /heavy-tasks/kinds/{kind}/slots</c>.</summary>
internal sealed record KindSlots
{
    /// <summary>The name of the kind.</summary>
    public required string Kind { get; init; }

    /// <summary>How many tasks of the kind each worker runs at once at most; null: as the workers are configured.</summary>
    public int? Slots { get; init; }
}

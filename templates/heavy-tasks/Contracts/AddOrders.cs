using System.ComponentModel.DataAnnotations;
using Platform.Contracts;

namespace HeavyTasksApp.Contracts;

/// <summary>The parameters of one kind of heavy task. What the attributes refuse is answered with 400 and never stored.</summary>
[HeavyTaskKind("orders.add", Description = "Adds orders with made-up amounts.")]
public sealed record AddOrders
{
    /// <summary>How many.</summary>
    [Range(1, 10_000_000)]
    public required int Count { get; init; }
}

using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

internal static class ListHeavyTaskKinds
{
    /// <summary>
    /// Lists the kinds that can be submitted, each with the JSON schema of its parameters: those that this service was built with, and those
    /// that workers announced.
    /// </summary>
    public static async Task<JsonOk<IReadOnlyList<HeavyTaskKindResponse>>> HandleAsync(
        KnownKinds kinds,
        EngineContext engine,
        CancellationToken cancellationToken
    )
    {
        var known = await kinds.ListAsync(cancellationToken);
        var set = await engine
            .Db.AnnouncedKinds.Where(kind => kind.PausedAt != null || kind.Slots != null)
            .Take(AnnouncedKinds.MaxKinds)
            .Select(kind => new
            {
                kind.Name,
                kind.PausedAt,
                kind.Slots,
            })
            .ToDictionaryAsync(kind => kind.Name, StringComparer.Ordinal, cancellationToken);
        return JsonAnswer.Ok<IReadOnlyList<HeavyTaskKindResponse>>([
            .. known.Select(kind => new HeavyTaskKindResponse(
                kind.Name,
                kind.Description,
                set.GetValueOrDefault(kind.Name)?.PausedAt,
                set.GetValueOrDefault(kind.Name)?.Slots,
                kind.Schema
            )),
        ]);
    }
}

/// <summary>A kind of heavy task.</summary>
/// <param name="Kind">The name of the kind.</param>
/// <param name="Description">What tasks of this kind do.</param>
/// <param name="PausedAt">Since when it is paused (UTC); null when it is not.</param>
/// <param name="Slots">How many tasks of it each worker runs at once at most; null: as the workers are configured.</param>
/// <param name="Parameters">The JSON schema of the parameters.</param>
internal sealed record HeavyTaskKindResponse(string Kind, string Description, DateTime? PausedAt, int? Slots, JsonNode Parameters);

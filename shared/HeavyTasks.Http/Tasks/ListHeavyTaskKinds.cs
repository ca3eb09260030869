using System.Text.Json.Nodes;

namespace Platform.HeavyTasks.Http;

internal static class ListHeavyTaskKinds
{
    /// <summary>
    /// Lists the kinds that can be submitted, each with the JSON schema of its parameters: those that this service was built with, and those
    /// that workers announced.
    /// </summary>
    public static async Task<JsonOk<IReadOnlyList<HeavyTaskKindResponse>>> HandleAsync(
        KnownKinds kinds,
        CancellationToken cancellationToken
    ) =>
        JsonAnswer.Ok<IReadOnlyList<HeavyTaskKindResponse>>([
            .. (await kinds.ListAsync(cancellationToken)).Select(kind => new HeavyTaskKindResponse(
                kind.Name,
                kind.Description,
                kind.Schema
            )),
        ]);
}

/// <summary>A kind of heavy task.</summary>
/// <param name="Kind">The name of the kind.</param>
/// <param name="Description">What tasks of this kind do.</param>
/// <param name="Parameters">The JSON schema of the parameters.</param>
internal sealed record HeavyTaskKindResponse(string Kind, string Description, JsonNode Parameters);

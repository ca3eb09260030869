using System.Text.Json;

namespace Platform.Cli.Api;

/// <summary>One entry of <c>GET /heavy-tasks/kinds</c>.</summary>
/// <param name="Kind">The name of the kind.</param>
/// <param name="Description">What tasks of this kind do.</param>
/// <param name="Parameters">The JSON schema of the parameters.</param>
internal sealed record KindDescription(string Kind, string? Description, JsonElement Parameters);

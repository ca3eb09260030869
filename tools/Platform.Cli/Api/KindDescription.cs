using System.Text.Json;

namespace Platform.Cli.Api;

/// <summary>One entry of <c>GET /heavy-tasks/kinds</c>.</summary>
/// <param name="Kind">The name to submit.</param>
/// <param name="Description">What it does.</param>
/// <param name="Parameters">JSON schema of its parameters.</param>
internal sealed record KindDescription(string Kind, string? Description, JsonElement Parameters);

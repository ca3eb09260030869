using System.Text.Json;

namespace Platform.Cli.Api;

/// <summary>One JSON answer, as it came (for <c>--json</c>) and as read (for people).</summary>
/// <param name="Json">The whole body.</param>
/// <param name="Value">The members that the command line knows.</param>
internal sealed record Answer<T>(JsonElement Json, T Value);

using System.Text.Json;

namespace Platform.Cli.Api;

/// <summary>One JSON answer, unchanged (for <c>--json</c>) and parsed (for people).</summary>
/// <param name="Json">The whole body.</param>
/// <param name="Value">The members that the command line knows.</param>
internal sealed record Answer<T>(JsonElement Json, T Value);

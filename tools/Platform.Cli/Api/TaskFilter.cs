using System.Globalization;

namespace Platform.Cli.Api;

/// <summary>Which tasks <c>GET /heavy-tasks</c> lists; null for any.</summary>
/// <param name="Status">Their status.</param>
/// <param name="Kind">Their kind.</param>
/// <param name="Tag">A tag that they have.</param>
/// <param name="CreatedFrom">They were submitted then or later (UTC).</param>
/// <param name="CreatedBefore">They were submitted before (UTC).</param>
internal sealed record TaskFilter(
    string? Status = null,
    string? Kind = null,
    string? Tag = null,
    DateTime? CreatedFrom = null,
    DateTime? CreatedBefore = null
)
{
    /// <summary>The parameters of the query.</summary>
    public IEnumerable<(string Name, string? Value)> Query =>
        [("status", Status), ("kind", Kind), ("tag", Tag), ("createdFrom", Text(CreatedFrom)), ("createdBefore", Text(CreatedBefore))];

    private static string? Text(DateTime? time) => time?.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}

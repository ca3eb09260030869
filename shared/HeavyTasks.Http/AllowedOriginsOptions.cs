namespace Platform.HeavyTasks.Http;

/// <summary>Says which other web pages may write through the endpoints. Section <c>HeavyTasks</c>.</summary>
public sealed class AllowedOriginsOptions
{
    /// <summary>
    /// The origins, such as <c>https://shop.example</c>, whose pages may submit, upload, cancel and retry; the service's own pages always may,
    /// and so may clients that are no browser. Each has a scheme, a host and no path; the port is left out where it is the scheme's own. Default:
    /// none. CORS, without which browsers do not show answers to such pages, is configured apart from this.
    /// </summary>
    public IList<string> AllowedOrigins { get; } = [];

    internal bool Contains(string origin) => AllowedOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase);

    internal bool AreOrigins() =>
        AllowedOrigins.All(origin =>
            Uri.TryCreate(origin, UriKind.Absolute, out var uri)
            && origin.Equals(uri.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase)
        );
}

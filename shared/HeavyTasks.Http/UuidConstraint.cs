using System.Globalization;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Accepts an id in the one form in which answers contain it. The framework's constraint also accepts braces and blanks around it, so that
/// one task had many addresses.
/// </summary>
internal sealed class UuidConstraint : IRouteConstraint
{
    /// <summary>Its name in a route's pattern; unlikely to be one that an application has.</summary>
    public const string Name = "heavytaskuuid";

    public bool Match(
        HttpContext? httpContext,
        IRouter? route,
        string routeKey,
        RouteValueDictionary values,
        RouteDirection routeDirection
    ) =>
        values.TryGetValue(routeKey, out var value)
        && Convert.ToString(value, CultureInfo.InvariantCulture) is { Length: 36 } text
        && text.All(c => char.IsAsciiHexDigit(c) || c == '-')
        && Guid.TryParseExact(text, "D", out _);
}

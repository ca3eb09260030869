using System.Globalization;

namespace Platform.Api.Users;

/// <summary>
/// Accepts a number as answers write it. The framework's constraint also accepts signs, zeros and blanks before it, so that one user had many
/// addresses.
/// </summary>
internal sealed class WholeIdConstraint : IRouteConstraint
{
    /// <summary>Its name in a route's pattern.</summary>
    public const string Name = "wholeid";

    public bool Match(
        HttpContext? httpContext,
        IRouter? route,
        string routeKey,
        RouteValueDictionary values,
        RouteDirection routeDirection
    ) =>
        values.TryGetValue(routeKey, out var value)
        && Convert.ToString(value, CultureInfo.InvariantCulture) is { } text
        && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
        && text == id.ToString(CultureInfo.InvariantCulture);
}

using System.Globalization;
using Microsoft.OpenApi;

namespace Platform.HeavyTasks.Http;

/// <summary>The parameter <c>limit</c> of lists: how many items stand on a page.</summary>
internal static class PageLimit
{
    /// <summary>The limit where the client names none.</summary>
    public const int Default = 50;

    /// <summary>The largest limit.</summary>
    public const int Max = 200;

    /// <summary>The limit of pages in the OpenAPI document.</summary>
    public static OpenApiSchema Schema => SchemaUpTo(Max);

    /// <summary>A limit in the OpenAPI document.</summary>
    public static OpenApiSchema SchemaUpTo(int max) =>
        new()
        {
            Type = JsonSchemaType.Integer,
            Minimum = "1",
            Maximum = $"{max}",
            Default = Default,
        };

    /// <summary>Reads the limit. Adds what is none to <paramref name="errors"/>.</summary>
    public static int Read(string? text, FieldErrors errors, int max = Max)
    {
        if (string.IsNullOrEmpty(text))
        {
            return Default;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit >= 1 && limit <= max)
        {
            return limit;
        }

        errors.Add("limit", $"A whole number from 1 to {max} is expected.");
        return Default;
    }
}

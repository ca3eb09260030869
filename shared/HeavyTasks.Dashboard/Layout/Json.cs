using System.Text.Encodings.Web;
using System.Text.Json;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>JSON for people.</summary>
internal static class Json
{
    // Beyond this a page becomes slow.
    private const int MaxShown = 64 * 1024;

    // For a page, which encodes everything itself.
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The JSON with indentation; cut where it is very long, and as it is when it is none.</summary>
    public static string Pretty(string json)
    {
        var text = json;
        try
        {
            text = json.Length <= MaxShown ? JsonSerializer.Serialize(JsonElement.Parse(json), Indented) : json;
        }
        catch (JsonException)
        {
            // It stays as it is.
        }

        return text.Length <= MaxShown ? text : $"{text[..MaxShown]}\n… {text.Length - MaxShown:N0} characters more";
    }
}

using Microsoft.Extensions.Configuration;

namespace Platform.ServiceDefaults;

/// <summary>
/// Runs <c>Platform.Api health</c> and <c>Platform.Worker health</c>: asks the service that runs with the same settings whether it is
/// alive, for images without a shell.
/// </summary>
public static class HealthCommand
{
    /// <summary>The argument that names the command.</summary>
    public const string Name = "health";

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(4);

    /// <summary>
    /// Returns 0 when <c>/health/live</c> answers within 4 s; otherwise writes the reason to standard error and returns 1.
    /// </summary>
    /// <param name="configuration">The configuration with the service's own addresses; the first one is asked.</param>
    /// <param name="defaultUrl">The address to ask if none is set.</param>
    public static async Task<int> RunAsync(IConfiguration configuration, string defaultUrl)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var bound = (configuration["urls"] ?? defaultUrl).Split(';')[0];
        var address = bound
            .Replace("//+", "//127.0.0.1", StringComparison.Ordinal)
            .Replace("//*", "//127.0.0.1", StringComparison.Ordinal)
            .Replace("//0.0.0.0", "//127.0.0.1", StringComparison.Ordinal)
            .Replace("//[::]", "//[::1]", StringComparison.Ordinal);
        try
        {
            using var http = new HttpClient { Timeout = Timeout, BaseAddress = new Uri(address) };
            using var response = await http.GetAsync(new Uri("/health/live", UriKind.Relative));
            response.EnsureSuccessStatusCode();
            return 0;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or UriFormatException)
        {
            await Console.Error.WriteLineAsync($"{address} does not answer: {exception.Message}");
            return 1;
        }
    }
}

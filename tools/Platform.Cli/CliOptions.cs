using System.CommandLine;
using Platform.Cli.Api;

namespace Platform.Cli;

/// <summary>The options that every command has.</summary>
internal sealed class CliOptions(CliHost host)
{
    private const string UrlVariable = "PLATFORM_URL";
    private const string DefaultUrl = "http://127.0.0.1:5080";

    /// <summary>The address of the API.</summary>
    public Option<string?> Url { get; } =
        new("--url")
        {
            Description = $"Address of the API (default: {UrlVariable}, else {DefaultUrl})",
            HelpName = "url",
            Recursive = true,
        };

    /// <summary>Whether standard output is for programs and not for people.</summary>
    public Option<bool> Json { get; } =
        new("--json") { Description = "Print the API's JSON and nothing else on standard output", Recursive = true };

    /// <summary>Starts a command with these options.</summary>
    /// <exception cref="UsageException">The URL is not an http or https address.</exception>
    public CliSession Open(ParseResult parse)
    {
        var (url, source) =
            parse.GetValue(Url) is { } given ? (given, "--url")
            : host.Environment(UrlVariable) is { Length: > 0 } set ? (set, UrlVariable)
            : (DefaultUrl, "");
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            throw new UsageException($"{source} '{url}' is not an http or https address.");
        }

        return new CliSession(host, new PlatformClient(address, host.Timeouts, host.Clock), parse.GetValue(Json));
    }
}

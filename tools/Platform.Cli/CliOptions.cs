using System.CommandLine;
using Platform.Cli.Access;
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

    /// <summary>The file with the key that the API asks for.</summary>
    public Option<string?> KeyFile { get; } =
        new(ApiKeySource.FileOption)
        {
            Description =
                $"File that holds the key for the API (default: {ApiKeySource.FileVariable}, else the key in {ApiKeySource.KeyVariable})",
            HelpName = "file",
            Recursive = true,
        };

    /// <summary>Whether standard output is for programs and not for people.</summary>
    public Option<bool> Json { get; } =
        new("--json") { Description = "Print the API's JSON and nothing else on standard output", Recursive = true };

    /// <summary>Starts a command with these options.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="callsApi">Whether the command calls the API. One that does not needs no key, so a bad key file is no reason to fail.</param>
    /// <exception cref="UsageException">The URL is not an http or https address, or the key is none.</exception>
    public CliSession Open(ParseResult parse, bool callsApi = true)
    {
        var (url, source) =
            parse.GetValue(Url) is { } given ? (given, "--url")
            : host.Environment(UrlVariable) is { Length: > 0 } set ? (set, UrlVariable)
            : (DefaultUrl, "");
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
        {
            throw new UsageException($"{source} '{url}' is not an http or https address.");
        }

        var key = callsApi ? ApiKeySource.Find(parse.GetValue(KeyFile), host.Environment) : null;
        return new CliSession(host, new PlatformClient(address, key, host.Timeouts, host.Clock), parse.GetValue(Json));
    }
}

using System.CommandLine;

namespace Platform.Cli.Commands;

/// <summary><c>keys</c>: creates, lists and revokes the keys of the API's clients.</summary>
internal static class KeysCommand
{
    public static Command Create(CliOptions options) =>
        new("keys", "Create, list and revoke the keys that the API asks for")
        {
            CreateKeyCommand.Create(options),
            ListKeysCommand.Create(options),
            RevokeKeyCommand.Create(options),
        };
}

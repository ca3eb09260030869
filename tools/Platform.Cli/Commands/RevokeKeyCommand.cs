using System.CommandLine;
using Platform.Cli.Access;

namespace Platform.Cli.Commands;

/// <summary><c>keys revoke ID</c>: ends a key for good.</summary>
internal static class RevokeKeyCommand
{
    public static Command Create(CliOptions options)
    {
        var id = new Argument<string>("id")
        {
            Description = "The key's id (see: platform keys list)",
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (!ApiKeyText.IsId(text))
                {
                    result.AddError($"'{text}' is not a key's id.");
                }

                return text;
            },
        };
        var command = new Command("revoke", "Revoke a key for good") { id };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var revoked = parse.GetRequiredValue(id);
                await session.Client.RevokeKeyAsync(revoked, cancellationToken);
                if (session.IsJson)
                {
                    session.WriteJson(json =>
                    {
                        json.WriteStartObject();
                        json.WriteString("revoked", revoked);
                        json.WriteEndObject();
                    });
                }
                else
                {
                    session.Terminal.WriteLine("Revoked.");
                }

                return ExitCode.Ok;
            }
        );
        return command;
    }
}

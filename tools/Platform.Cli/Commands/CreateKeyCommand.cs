using System.CommandLine;
using System.CommandLine.Parsing;
using Platform.Cli.Access;
using Platform.Cli.Api;
using Platform.Cli.Files;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>keys create NAME</c>: creates a key and prints it, or writes it to a file.</summary>
internal static class CreateKeyCommand
{
    private const string StandardOutput = "-";

    private static readonly string[] knownRoles = ["submit", "read", "operate", "admin"];

    public static Command Create(CliOptions options)
    {
        var name = new Argument<string>("name") { Description = "What the key is for" };
        var roles = new Option<string[]>("--role")
        {
            Description = $"What the key may do, repeatable or separated by commas: {string.Join(", ", knownRoles)}",
            HelpName = "role",
            Required = true,
            CustomParser = ReadRoles,
        };
        var tenant = new Option<string?>("--tenant")
        {
            Description = "The tenant whose tasks and files the key reaches (default: all)",
            HelpName = "tenant",
        };
        var expires = new Option<KeyExpiry?>("--expires")
        {
            Description =
                "When the key ends: after a time such as 12h or 30d, or at one in ISO 8601 such as 2030-01-31T22:00:00Z (default: never)",
            HelpName = "time",
            CustomParser = ReadExpiry,
        };
        var output = new Option<string?>("--output", "-o")
        {
            Description = "A new file for the key, which only you can read, or - for standard output (default: -)",
            HelpName = "file",
        };
        var command = new Command("create", "Create a key and print it, this once") { name, roles, tenant, expires, output };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var key = new NewApiKey(
                    parse.GetRequiredValue(name),
                    parse.GetRequiredValue(roles),
                    parse.GetValue(tenant),
                    parse.GetValue(expires)?.From(session.Host.Clock.GetUtcNow())
                );
                if (parse.GetValue(output) is { } path and not StandardOutput)
                {
                    await SaveAsync(session, key, path, cancellationToken);
                }
                else
                {
                    var answer = await session.Client.CreateKeyAsync(key, cancellationToken);
                    // First what it is: if standard output takes nothing, the id is known and the key can be revoked.
                    session.Terminal.WriteErrorLine($"{Describe(answer.Value)} It is shown only this once: keep it.");
                    session.Write(answer, created => session.Terminal.WriteLine(created.Key));
                }

                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static async Task SaveAsync(CliSession session, NewApiKey key, string path, CancellationToken cancellationToken)
    {
        await using var file = SecretFile.Create(path);
        var answer = await session.Client.CreateKeyAsync(key, cancellationToken);
        try
        {
            await file.CommitAsync(answer.Value.Key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException(
                $"'{path}' cannot be written: {e.Message} The key exists and is lost: platform keys revoke {answer.Value.Id}",
                e
            );
        }

        session.Terminal.WriteErrorLine($"{Describe(answer.Value)} The API does not show it again.");
        if (!session.IsJson)
        {
            session.Terminal.WriteLine(path);
            return;
        }

        // The key is in the file instead.
        session.WriteJson(json =>
        {
            json.WriteStartObject();
            foreach (
                var member in answer.Json.EnumerateObject().Where(member => !member.Name.Equals("key", StringComparison.OrdinalIgnoreCase))
            )
            {
                member.WriteTo(json);
            }

            json.WriteString("file", path);
            json.WriteEndObject();
        });
    }

    private static string Describe(CreatedApiKey key)
    {
        var tenant = key.Tenant is null ? "all tenants" : $"tenant {key.Tenant}";
        var end = key.ExpiresAt is null ? "no end" : $"ends {Figures.Time(key.ExpiresAt)}";
        return $"Key {key.Id} '{key.Name}': {string.Join(", ", key.Roles)}; {tenant}; {end}.";
    }

    private static string[] ReadRoles(ArgumentResult result)
    {
        string[] roles =
        [
            .. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.TrimEntries)).Distinct(StringComparer.Ordinal),
        ];
        foreach (var role in roles.Except(knownRoles, StringComparer.Ordinal))
        {
            result.AddError($"--role '{role}' is none of {string.Join(", ", knownRoles)}.");
        }

        return roles;
    }

    private static KeyExpiry? ReadExpiry(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        var expiry = KeyExpiry.Read(text);
        if (expiry is null)
        {
            result.AddError($"--expires '{text}' is neither a time such as 12h or 30d nor one in ISO 8601, such as 2030-01-31T22:00:00Z.");
        }

        return expiry;
    }
}

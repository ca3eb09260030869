using System.CommandLine;
using Platform.Cli.Demo;

namespace Platform.Cli.Commands;

/// <summary><c>demo</c>: imports made-up users, exports and counts them, and compares the numbers.</summary>
internal static class DemoCommand
{
    public static Command Create(CliOptions options)
    {
        var rows = GenerateUsersCommand.CreateRowsOption();
        rows.Description = "The number of users (default: 200000)";
        rows.DefaultValueFactory = _ => 200_000;
        var output = new Option<string?>("--output", "-o")
        {
            Description = "Keep users.csv and exported.csv in this folder (default: a temporary folder that is removed at the end)",
            HelpName = "folder",
        };
        var command = new Command("demo", "Import made-up users, export and count them, and compare the numbers") { rows, output };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                return await RunAsync(session, parse.GetValue(rows), parse.GetValue(output), cancellationToken);
            }
        );
        return command;
    }

    private static async Task<int> RunAsync(CliSession session, long rows, string? output, CancellationToken cancellationToken)
    {
        var folder = output is null ? Directory.CreateTempSubdirectory("platform-demo-").FullName : output;
        try
        {
            Directory.CreateDirectory(folder);
            var numbers = await new DemoRun(session, folder).RunAsync(rows, cancellationToken);
            Write(session, numbers);
            return numbers.Disagreements.Count == 0 ? ExitCode.Ok : ExitCode.Found;
        }
        catch (TaskNotSucceededException e)
        {
            session.Terminal.WriteErrorLine($"error: {e.Message}");
            return ExitCode.TaskNotSucceeded;
        }
        finally
        {
            if (output is null)
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static void Write(CliSession session, DemoNumbers numbers)
    {
        if (session.IsJson)
        {
            session.WriteJson(json =>
            {
                json.WriteStartObject();
                json.WriteNumber("rows", numbers.Rows);
                json.WriteNumber("uploaded", numbers.Uploaded);
                json.WriteNumber("imported", numbers.Imported);
                json.WriteNumber("updated", numbers.Updated);
                json.WriteNumber("skipped", numbers.Skipped);
                json.WriteNumber("rejected", numbers.Rejected);
                json.WriteNumber("exported", numbers.Exported);
                json.WriteNumber("downloaded", numbers.Downloaded);
                json.WriteNumber("users", numbers.Users);
                json.WriteNumber("countries", numbers.Countries);
                json.WriteNumber("months", numbers.Months);
                json.WriteStartArray("disagreements");
                foreach (var disagreement in numbers.Disagreements)
                {
                    json.WriteStringValue(disagreement);
                }

                json.WriteEndArray();
                json.WriteEndObject();
            });
        }
        else
        {
            session.Terminal.WriteLine("");
            session.Terminal.WriteLine(
                $"Imported {numbers.Imported} + updated {numbers.Updated} + skipped {numbers.Skipped} of {numbers.Rows} rows; "
                    + $"{numbers.Users} users stored, {numbers.Exported} exported."
            );
        }

        if (numbers.Disagreements.Count > 0)
        {
            session.Terminal.WriteErrorLine("error: The numbers do not agree.");
            foreach (var disagreement in numbers.Disagreements)
            {
                session.Terminal.WriteErrorLine($"  {disagreement}");
            }
        }
    }
}

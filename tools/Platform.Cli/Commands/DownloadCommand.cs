using System.CommandLine;
using Platform.Cli.Api;
using Platform.Cli.Files;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>download ID</c>: downloads a task's result file, complete and verified, or not at all.</summary>
internal static class DownloadCommand
{
    private const string StandardOutput = "-";

    public static Command Create(CliOptions options)
    {
        var id = TaskIdArgument.Create();
        var output = new Option<string?>("--output", "-o")
        {
            Description =
                "A file (replaced if it exists), a folder, or - for standard output (default: the result's name in the current folder)",
            HelpName = "file",
        };
        var command = new Command("download", "Download a task's result file and verify its SHA-256") { id, output };
        command.Validators.Add(result =>
        {
            if (result.GetValue(options.Json) && result.GetValue(output) is StandardOutput)
            {
                result.AddError("--json and -o - cannot be combined: both write to standard output.");
            }
        });
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                using var result = await session.Client.OpenResultAsync(parse.GetValue(id), cancellationToken);
                if (parse.GetValue(output) is StandardOutput)
                {
                    return await CopyToOutputAsync(session, result, cancellationToken);
                }

                var path = ChoosePath(parse.GetValue(output), parse.GetValue(id), result);
                var length = await SaveAsync(session, result, path, cancellationToken);
                Write(session, result, path, length);
                return ExitCode.Ok;
            }
        );
        return command;
    }

    private static async Task<int> CopyToOutputAsync(CliSession session, ResultDownload result, CancellationToken cancellationToken)
    {
        await result.CopyToAsync(session.Host.StandardOutput, static _ => { }, cancellationToken);
        await session.Host.StandardOutput.FlushAsync(cancellationToken);
        return ExitCode.Ok;
    }

    /// <summary>Saves a result, complete and verified or not at all, and shows a progress bar.</summary>
    /// <returns>The number of bytes.</returns>
    public static async Task<long> SaveAsync(CliSession session, ResultDownload result, string path, CancellationToken cancellationToken)
    {
        await using var file = PartialFile.Create(path);
        var length = await TransferBar.RunAsync(
            session.Terminal,
            Path.GetFileName(path),
            result.Length,
            received => result.CopyToAsync(file.Stream, received, cancellationToken)
        );
        await file.CommitAsync();
        return length;
    }

    private static void Write(CliSession session, ResultDownload result, string path, long length)
    {
        if (session.IsJson)
        {
            session.WriteJson(json =>
            {
                json.WriteStartObject();
                json.WriteString("file", path);
                json.WriteNumber("length", length);
                json.WriteString("sha256", result.Sha256);
                json.WriteEndObject();
            });
        }
        else
        {
            session.Terminal.WriteLine($"{path}  {Figures.Bytes(length)}  sha256 {result.Sha256}");
        }
    }

    /// <summary>Chooses the path of the file. A name that the caller gave may replace a file; a name that the API gave may not.</summary>
    private static string ChoosePath(string? output, Guid id, ResultDownload result)
    {
        if (output is not null && !Directory.Exists(output))
        {
            return output;
        }

        var path = Path.Combine(output ?? "", result.SuggestedName ?? $"{id}.result");
        return Path.Exists(path) ? throw new UsageException($"'{path}' exists already. Use -o to choose a name or to replace it.") : path;
    }
}

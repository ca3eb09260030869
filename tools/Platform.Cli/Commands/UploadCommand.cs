using System.CommandLine;
using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli.Commands;

/// <summary><c>upload FILE</c>: uploads a file and prints the id that parameters refer to.</summary>
internal static class UploadCommand
{
    public static Command Create(CliOptions options)
    {
        var file = new Argument<string>("file") { Description = "The file to upload" };
        var command = new Command("upload", "Upload a file and print its id") { file };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var answer = await SendAsync(session, parse.GetRequiredValue(file), cancellationToken);
                session.Write(answer, stored => session.Terminal.WriteLine(stored.Id.ToString()));
                return ExitCode.Ok;
            }
        );
        return command;
    }

    /// <summary>Uploads a file and shows a progress bar.</summary>
    public static async Task<Answer<UploadedFile>> SendAsync(CliSession session, string path, CancellationToken cancellationToken)
    {
        await using var source = Open(path);
        var name = Path.GetFileName(path);
        long? length = source.CanSeek ? source.Length : null;
        return await TransferBar.RunAsync(
            session.Terminal,
            name,
            length,
            sent => session.Client.UploadAsync(source, name, ContentType(name), sent, cancellationToken)
        );
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(
                path,
                new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.SequentialScan, BufferSize = 0 }
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new UsageException($"'{path}' cannot be read: {e.Message}", e);
        }
    }

    private static string ContentType(string name) =>
        Path.GetExtension(name).ToUpperInvariant() switch
        {
            ".CSV" => "text/csv",
            ".TSV" => "text/tab-separated-values",
            ".TXT" => "text/plain",
            ".JSON" => "application/json",
            ".XML" => "application/xml",
            ".GZ" => "application/gzip",
            ".ZIP" => "application/zip",
            _ => "application/octet-stream",
        };
}

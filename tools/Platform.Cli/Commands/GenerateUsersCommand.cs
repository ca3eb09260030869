using System.CommandLine;
using System.Text;
using Platform.Cli.Files;
using Platform.Cli.Terminal;
using Platform.Cli.Users;

namespace Platform.Cli.Commands;

/// <summary><c>generate-users FILE</c>: a CSV file of made-up users to import.</summary>
internal static class GenerateUsersCommand
{
    private const int BufferLength = 128 * 1024;
    private const int RowsBetweenFlushes = 1000;

    public static Command Create(CliOptions options)
    {
        var file = new Argument<string>("file") { Description = "The CSV file to write (replaced when it exists)" };
        var rows = new Option<long>("--rows")
        {
            Description = "How many users",
            HelpName = "n",
            Required = true,
        };
        rows.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<long>() is < 0 or > 999_999_999)
            {
                result.AddError("--rows must be between 0 and 999999999.");
            }
        });
        var seed = new Option<int>("--seed")
        {
            Description = "The same seed gives the same file (default: 1)",
            HelpName = "n",
            DefaultValueFactory = _ => 1,
        };
        var command = new Command("generate-users", "Write a CSV file of made-up users") { file, rows, seed };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                return await RunAsync(session, parse.GetRequiredValue(file), parse.GetValue(rows), parse.GetValue(seed), cancellationToken);
            }
        );
        return command;
    }

    private static async Task<int> RunAsync(CliSession session, string path, long rows, int seed, CancellationToken cancellationToken)
    {
        await using var file = PartialFile.Create(path);
        var length = await TransferBar.RunAsync(
            session.Terminal,
            Path.GetFileName(path),
            rows,
            written => Task.Run(() => WriteAsync(file.Stream, rows, seed, written, cancellationToken), cancellationToken),
            isBytes: false
        );
        await file.CommitAsync();
        if (session.IsJson)
        {
            session.WriteJson(json =>
            {
                json.WriteStartObject();
                json.WriteString("file", path);
                json.WriteNumber("rows", rows);
                json.WriteNumber("length", length);
                json.WriteNumber("seed", seed);
                json.WriteEndObject();
            });
        }
        else
        {
            session.Terminal.WriteLine($"{path}  {Figures.Count(rows)} users  {Figures.Bytes(length)}  seed {seed}");
        }

        return ExitCode.Ok;
    }

    private static async Task<long> WriteAsync(
        Stream stream,
        long rows,
        int seed,
        Action<long> written,
        CancellationToken cancellationToken
    )
    {
        var length = 0L;
        var text = new StringWriter(new StringBuilder(BufferLength));
        CsvRow.Write(text, "externalId", "name", "email", "country", "signedUpAt");
        var row = 0L;
        foreach (var user in new UserGenerator(seed).Generate(rows))
        {
            CsvRow.Write(text, user.ExternalId, user.Name, user.Email, user.Country, user.SignedUpAt);
            if (++row % RowsBetweenFlushes == 0)
            {
                await FlushAsync();
                written(row);
            }
        }

        await FlushAsync();
        return length;

        async Task FlushAsync()
        {
            var bytes = Encoding.UTF8.GetBytes(text.ToString());
            text.GetStringBuilder().Clear();
            await stream.WriteAsync(bytes, cancellationToken);
            length += bytes.Length;
        }
    }
}

using System.CommandLine;
using System.Globalization;
using System.Text;
using Platform.Cli.Files;
using Platform.Cli.Terminal;
using Platform.Cli.Users;

namespace Platform.Cli.Commands;

/// <summary><c>generate-users FILE</c>: writes a CSV file of made-up users to import.</summary>
internal static class GenerateUsersCommand
{
    public const int DefaultSeed = 1;

    private const int BufferLength = 128 * 1024;
    private const int RowsBetweenFlushes = 1000;

    public static Command Create(CliOptions options)
    {
        var file = new Argument<string>("file") { Description = "The CSV file to write (replaced if it exists)" };
        var rows = CreateRowsOption();
        rows.Required = true;
        var seed = new Option<int>("--seed")
        {
            Description = "The same seed gives the same file (default: 1)",
            HelpName = "n",
            DefaultValueFactory = _ => DefaultSeed,
        };
        var command = new Command("generate-users", "Write a CSV file of made-up users") { file, rows, seed };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse, callsApi: false);
                var (path, count) = (parse.GetRequiredValue(file), parse.GetValue(rows));
                var length = await SaveAsync(session, path, count, parse.GetValue(seed), cancellationToken);
                Write(session, path, count, length, parse.GetValue(seed));
                return ExitCode.Ok;
            }
        );
        return command;
    }

    public static Option<long> CreateRowsOption()
    {
        var rows = new Option<long>("--rows") { Description = "The number of users", HelpName = "n" };
        rows.Validators.Add(result =>
        {
            // What is no number is the parser's to refuse; to ask for the value would throw.
            if (
                result.Tokens is [var token]
                && long.TryParse(token.Value, CultureInfo.InvariantCulture, out var value)
                && value is < 0 or > 999_999_999
            )
            {
                result.AddError("--rows must be between 0 and 999999999.");
            }
        });
        return rows;
    }

    /// <summary>Writes the file and shows a progress bar.</summary>
    /// <returns>The number of bytes.</returns>
    public static async Task<long> SaveAsync(CliSession session, string path, long rows, int seed, CancellationToken cancellationToken)
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
        return length;
    }

    private static void Write(CliSession session, string path, long rows, long length, int seed)
    {
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
        CsvRow.Write(text, CsvRow.UserColumns);
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

using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using Platform.Cli.Access;
using Platform.Cli.Api;
using Platform.Cli.Commands;

namespace Platform.Cli;

/// <summary>The command line: its commands, and the exit codes that tell scripts how they ended.</summary>
internal static class PlatformCli
{
    /// <summary>Runs one command line.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, CliHost host, CancellationToken cancellationToken)
    {
        // Here '@file' is a value of --parameters; the parser would read more arguments from such a file.
        var parsing = new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false };
        var parse = CreateRootCommand(host).Parse(args, parsing);
        // Program handles signals and the code below handles exceptions, so that the exit codes are this program's own.
        var invocation = new InvocationConfiguration
        {
            Output = parse.Action is ParseErrorAction ? host.Error : host.Output,
            Error = host.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        try
        {
            if (parse.Action is ParseErrorAction usage)
            {
                if (args.Any(ApiKeyText.Contains))
                {
                    // The parser's messages repeat the arguments.
                    host.Terminal.WriteErrorLine(
                        $"error: A key does not belong on the command line: {ApiKeySource.FileOption} takes the name of its file, and keys revoke its id."
                    );
                }
                else
                {
                    usage.ShowHelp = false;
                    await parse.InvokeAsync(invocation, CancellationToken.None);
                }

                host.Terminal.WriteErrorLine($"See: {CommandPath(parse.CommandResult)} --help");
                return ExitCode.Usage;
            }

            return await parse.InvokeAsync(invocation, cancellationToken);
        }
        catch (UsageException e)
        {
            host.Terminal.WriteErrorLine($"error: {e.Message}");
            return ExitCode.Usage;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The client translates network errors, so this error comes from a local file: the disk is full, or the file is gone.
            host.Terminal.WriteErrorLine($"error: {e.Message}");
            return ExitCode.Usage;
        }
        catch (ApiRefusedException e)
        {
            WriteProblem(host, $"The API refused ({e.Problem.Status}{(e.Problem.Title is { } title ? $" {title}" : "")}).", e.Problem);
            return ExitCode.Refused;
        }
        catch (ApiUnavailableException e)
        {
            WriteProblem(host, e.Message, e.Problem);
            return ExitCode.Unavailable;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
    }

    private static RootCommand CreateRootCommand(CliHost host)
    {
        var options = new CliOptions(host);
        return new RootCommand("Submits heavy tasks to Platform and follows them.")
        {
            options.Url,
            options.KeyFile,
            options.Json,
            UploadCommand.Create(options),
            SubmitCommand.Create(options),
            FollowCommand.Create(options),
            ShowCommand.Create(options),
            ListCommand.Create(options),
            LogCommand.Create(options),
            DownloadCommand.Create(options),
            CancelCommand.Create(options),
            RetryCommand.Create(options),
            DeleteCommand.Create(options),
            KindsCommand.Create(options),
            WorkersCommand.Create(options),
            GenerateUsersCommand.Create(options),
            SizeCommand.Create(options),
            DemoCommand.Create(options),
            DoctorCommand.Create(options),
            KeysCommand.Create(options),
            AuditCommand.Create(options),
        };
    }

    private static void WriteProblem(CliHost host, string message, ProblemDetails? problem)
    {
        host.Terminal.WriteErrorLine($"error: {message}");
        if (problem is null)
        {
            return;
        }

        if (problem.Detail is { Length: > 0 } detail)
        {
            host.Terminal.WriteErrorLine($"  {detail}");
        }

        if (problem.Status is 401)
        {
            host.Terminal.WriteErrorLine($"  Give a key with {ApiKeySource.FileOption} or {ApiKeySource.FileVariable}.");
        }

        foreach (var (field, text) in problem.Errors)
        {
            host.Terminal.WriteErrorLine(field is "" ? $"  {text}" : $"  {field}: {text}");
        }

        if (problem.TraceId is { } trace && problem.Status >= 500)
        {
            host.Terminal.WriteErrorLine($"  trace id {trace}");
        }
    }

    private static string CommandPath(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{CommandPath(parent)} {command.Command.Name}" : "platform";
}

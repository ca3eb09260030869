using System.Buffers;
using System.CommandLine;
using System.Text.Json;
using Platform.Cli.Following;

namespace Platform.Cli.Commands;

/// <summary><c>submit KIND</c>: submits a heavy task and prints its id, or follows the task.</summary>
internal static class SubmitCommand
{
    public static Command Create(CliOptions options)
    {
        var kind = new Argument<string>("kind") { Description = "The kind of task (see: platform kinds)" };
        var parameters = new Option<string>("--parameters")
        {
            Description = "The parameters as a JSON object, as @file, or as @- for standard input",
            HelpName = "json|@file",
            DefaultValueFactory = _ => "{}",
        };
        var dueAt = TimeOption.Create(
            "--due-at",
            "The earliest time to run the task, ISO 8601, such as 2030-01-31T22:00:00Z; UTC unless it has an offset (default: now)"
        );
        var maxFailures = new Option<int?>("--max-failures")
        {
            Description = "The number of failures after which the task is given up (default: the service's setting)",
            HelpName = "n",
        };
        var idempotencyKey = new Option<string?>("--idempotency-key")
        {
            Description = "A key that identifies the submission: a repeat with the same key returns the same task",
            HelpName = "key",
        };
        idempotencyKey.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !result.Tokens[0].Value.All(c => c is > ' ' and <= '~'))
            {
                result.AddError("--idempotency-key may contain printable ASCII characters only, and no spaces.");
            }
        });
        var tags = new Option<string[]>("--tag")
        {
            Description = "A word by which to find the task again, such as the number of an order; repeatable",
            HelpName = "tag",
        };
        var follow = new Option<bool>("--follow") { Description = "Follow the task to its end" };

        var command = new Command("submit", "Submit a heavy task and print its id")
        {
            kind,
            parameters,
            dueAt,
            maxFailures,
            idempotencyKey,
            tags,
            follow,
        };
        command.SetAction(
            async (parse, cancellationToken) =>
            {
                using var session = options.Open(parse);
                var body = await CreateBodyAsync(
                    session,
                    parse.GetRequiredValue(kind),
                    parse.GetRequiredValue(parameters),
                    parse.GetValue(dueAt),
                    parse.GetValue(maxFailures),
                    parse.GetValue(tags) ?? [],
                    cancellationToken
                );
                return await RunAsync(session, body, parse.GetValue(idempotencyKey), parse.GetValue(follow), cancellationToken);
            }
        );
        return command;
    }

    private static async Task<int> RunAsync(
        CliSession session,
        ReadOnlyMemory<byte> body,
        string? idempotencyKey,
        bool follow,
        CancellationToken cancellationToken
    )
    {
        var answer = await session.Client.SubmitAsync(body, idempotencyKey, cancellationToken);
        if (!follow)
        {
            session.Write(answer, task => session.Terminal.WriteLine(task.Id.ToString()));
            return ExitCode.Ok;
        }

        if (session.IsJson)
        {
            // Standard output gets one document, the final state. The id goes to standard error, so that it is not lost when following is
            // interrupted.
            session.Terminal.WriteErrorLine($"Submitted {answer.Value.Id}.");
        }
        else
        {
            session.Terminal.WriteLine(answer.Value.Id.ToString());
        }

        return await TaskFollowing.RunAsync(session, answer.Value.Id, isReachable: true, cancellationToken);
    }

    private static async Task<ReadOnlyMemory<byte>> CreateBodyAsync(
        CliSession session,
        string kind,
        string parameters,
        DateTime? dueAt,
        int? maxFailures,
        string[] tags,
        CancellationToken cancellationToken
    )
    {
        using var json = await ReadParametersAsync(session, parameters, cancellationToken);
        var body = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(body))
        {
            writer.WriteStartObject();
            writer.WriteString("kind", kind);
            writer.WritePropertyName("parameters");
            json.RootElement.WriteTo(writer);
            if (dueAt is { } time)
            {
                writer.WriteString("dueAt", new DateTimeOffset(time));
            }

            if (maxFailures is { } failures)
            {
                writer.WriteNumber("maxFailures", failures);
            }

            if (tags.Length > 0)
            {
                writer.WriteStartArray("tags");
                foreach (var tag in tags)
                {
                    writer.WriteStringValue(tag);
                }

                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        }

        return body.WrittenMemory;
    }

    private static async Task<JsonDocument> ReadParametersAsync(CliSession session, string parameters, CancellationToken cancellationToken)
    {
        try
        {
            switch (parameters)
            {
                case "@-":
                    await using (var input = session.Host.StandardInput())
                    {
                        return await JsonDocument.ParseAsync(input, cancellationToken: cancellationToken);
                    }

                case ['@', .. var path]:
                    await using (var file = File.OpenRead(path))
                    {
                        return await JsonDocument.ParseAsync(file, cancellationToken: cancellationToken);
                    }

                default:
                    return JsonDocument.Parse(parameters);
            }
        }
        catch (JsonException e)
        {
            throw new UsageException($"--parameters is not JSON: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new UsageException($"--parameters cannot be read: {e.Message}", e);
        }
    }
}

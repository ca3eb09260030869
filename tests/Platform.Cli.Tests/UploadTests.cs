using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Platform.Cli.Api;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

public sealed class UploadTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task File_arrives_whole_and_its_id_is_printed()
    {
        var content = RandomNumberGenerator.GetBytes(3_000_001);
        var file = folder.File("names & more, ä.csv");
        await File.WriteAllBytesAsync(file, content, TestContext.Current.CancellationToken);
        byte[] received = [];
        var (name, contentType, contentLength) = ("", "", 0L);
        await using var api = await StandInApi.StartAsync(async context =>
        {
            var request = context.Request;
            (name, contentType, contentLength) = (request.Query["name"].ToString(), request.ContentType, request.ContentLength ?? 0);
            received = await ReadAllAsync(context.Request.Body);
            await AnswerStoredAsync(context, received);
        });

        var run = await CliRun.RunAsync(api, "upload", file);

        run.ExitCode.ShouldBe(0);
        run.Output.ShouldBe($"{Tasks.Id}\n");
        run.Error.ShouldBe("");
        received.ShouldBe(content);
        name.ShouldBe("names & more, ä.csv");
        contentType.ShouldBe("text/csv");
        contentLength.ShouldBe(content.Length);
    }

    [Fact]
    public async Task Empty_file_can_be_uploaded()
    {
        await using var api = await StandInApi.StartAsync(async context =>
            await AnswerStoredAsync(context, await ReadAllAsync(context.Request.Body))
        );

        var run = await CliRun.RunAsync(api, new Surroundings { IsInteractive = true }, "upload", folder.Write("empty.bin", ""), "--json");

        run.ExitCode.ShouldBe(0);
        run.Json.GetProperty("length").GetInt32().ShouldBe(0);
    }

    /// <summary>A named pipe proves it: the second half is written only after the API has seen the first.</summary>
    [Fact]
    public async Task File_is_sent_while_it_is_read()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs named pipes.");
        var pipe = folder.File("pipe.csv");
        await RunToolAsync("mkfifo", pipe);
        var firstHalf = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var api = await StandInApi.StartAsync(async context =>
        {
            var start = new byte[100_000];
            await context.Request.Body.ReadExactlyAsync(start);
            firstHalf.SetResult();
            await AnswerStoredAsync(context, [.. start, .. await ReadAllAsync(context.Request.Body)]);
        });

        var uploading = Task.Run(() => CliRun.RunAsync(api, "upload", pipe, "--json"), TestContext.Current.CancellationToken);
        await using (var writer = new FileStream(pipe, FileMode.Open, FileAccess.Write))
        {
            await writer.WriteAsync(new byte[100_000], TestContext.Current.CancellationToken);
            await writer.FlushAsync(TestContext.Current.CancellationToken);
            await firstHalf.Task;
            await writer.WriteAsync(new byte[50_000], TestContext.Current.CancellationToken);
        }

        var run = await uploading;
        run.ExitCode.ShouldBe(0);
        run.Json.GetProperty("length").GetInt32().ShouldBe(150_000);
    }

    [Fact]
    public async Task Refusal_of_a_large_file_arrives_before_its_bytes_are_sent()
    {
        var file = folder.File("large.csv");
        await using (var large = File.Create(file))
        {
            large.SetLength(1L << 30);
        }

        var expect = "";
        await using var api = await StandInApi.StartAsync(context =>
        {
            // The server says "continue" when the body is first read; this one never reads it.
            expect = context.Request.Headers.Expect.ToString();
            return StandInApi.AnswerAsync(context, """{"title":"Payload Too Large","detail":"Files may have up to 1048576 bytes."}""", 413);
        });

        var run = await CliRun.RunAsync(api, "upload", file);

        expect.ShouldBe("100-continue");
        run.ExitCode.ShouldBe(3);
        run.ErrorLines.ShouldBe(["error: The API refused (413 Payload Too Large).", "  Files may have up to 1048576 bytes."]);
    }

    [Fact]
    public async Task Different_hash_of_what_the_api_stored_ends_with_4()
    {
        await using var api = await StandInApi.StartAsync(async context =>
        {
            await ReadAllAsync(context.Request.Body);
            await AnswerStoredAsync(context, "something else"u8.ToArray());
        });

        var run = await CliRun.RunAsync(api, "upload", folder.Write("users.csv", "id,name\n"));

        run.ExitCode.ShouldBe(4);
        run.Error.ShouldStartWith("error: The upload is damaged: ");
        run.OutputBytes.ShouldBeEmpty();
    }

    [Fact]
    public async Task Api_that_stops_taking_bytes_ends_with_4()
    {
        var file = folder.File("large.csv");
        await using (var large = File.Create(file))
        {
            large.SetLength(1L << 30);
        }

        await using var api = await StandInApi.StartAsync(async context =>
        {
            _ = await context.Request.Body.ReadAsync(new byte[1000]);
            await StandInApi.SilenceAsync(context);
        });

        var run = await CliRun.RunAsync(
            api,
            new Surroundings { Timeouts = new HttpTimeouts { Idle = TimeSpan.FromSeconds(0.5) } },
            "upload",
            file
        );

        run.ExitCode.ShouldBe(4);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("gave no answer for 0.5 s");
    }

    [Fact]
    public async Task Connection_that_breaks_off_ends_with_4()
    {
        var file = folder.File("large.csv");
        await using (var large = File.Create(file))
        {
            large.SetLength(1L << 30);
        }

        await using var api = await StandInApi.StartAsync(async context =>
        {
            await context.Request.Body.ReadExactlyAsync(new byte[1_000_000]);
            context.Abort();
        });

        var run = await CliRun.RunAsync(api, "upload", file);

        run.ExitCode.ShouldBe(4);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("broke off");
    }

    [Fact]
    public async Task Terminal_gets_a_bar()
    {
        await using var api = await StandInApi.StartAsync(async context =>
            await AnswerStoredAsync(context, await ReadAllAsync(context.Request.Body))
        );

        var run = await CliRun.RunAsync(
            api,
            new Surroundings { IsInteractive = true },
            "upload",
            folder.Write("[red]users[].csv", new string('x', 100_000))
        );

        run.ExitCode.ShouldBe(0);
        run.Error.ShouldContain("[red]users[].csv");
        run.Error.ShouldContain("100%");
        run.Output.ShouldBe($"{Tasks.Id}\n");
    }

    private static async Task<byte[]> ReadAllAsync(Stream stream)
    {
        var all = new MemoryStream();
        await stream.CopyToAsync(all);
        return all.ToArray();
    }

    private static Task AnswerStoredAsync(HttpContext context, byte[] content) =>
        StandInApi.AnswerAsync(
            context,
            JsonSerializer.Serialize(
                new
                {
                    id = Tasks.Id,
                    name = "x",
                    length = content.Length,
                    sha256 = Convert.ToHexStringLower(SHA256.HashData(content)),
                }
            ),
            201
        );

    private static async Task RunToolAsync(string tool, params string[] args)
    {
        using var process = Process.Start(tool, args);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0);
    }
}

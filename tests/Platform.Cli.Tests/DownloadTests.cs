using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Platform.Cli.Api;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

public sealed class DownloadTests : IDisposable
{
    private static readonly byte[] content = [.. Enumerable.Range(0, 1_000_003).Select(i => (byte)(i * 31 >> 3))];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Result_is_saved_under_the_given_name()
    {
        await using var api = await ServingAsync(content);
        var target = folder.Write("result.csv", "an older result");

        var run = await CliRun.RunAsync(api, "download", Tasks.Id, "-o", target);

        run.ExitCode.ShouldBe(0, run.Error);
        (await File.ReadAllBytesAsync(target, TestContext.Current.CancellationToken)).ShouldBe(content);
        folder.Entries.ShouldBe(["result.csv"]);
        run.Output.ShouldBe($"{target}  976.6 KiB  sha256 {Sha256(content)}\n");
        api.Requests.ShouldBe([$"GET /heavy-tasks/{Tasks.Id}/result"]);
    }

    [Fact]
    public async Task Without_a_name_the_apis_name_is_used_and_nothing_replaced()
    {
        await using var api = await ServingAsync(content, fileName: "users.csv");

        var first = await CliRun.RunAsync(api, "download", Tasks.Id, "-o", folder.Path);
        var second = await CliRun.RunAsync(api, "download", Tasks.Id, "-o", folder.Path);

        first.ExitCode.ShouldBe(0, first.Error);
        folder.Entries.ShouldBe(["users.csv"]);
        second.ExitCode.ShouldBe(2);
        second.Error.ShouldContain("exists already");
    }

    [Theory]
    [InlineData("../../escaped.csv", "escaped.csv")]
    [InlineData("/etc/escaped.csv", "escaped.csv")]
    [InlineData("..\\escaped.csv", "escaped.csv")]
    [InlineData("..", $"{Tasks.Id}.result")]
    [InlineData("", $"{Tasks.Id}.result")]
    public async Task Apis_name_cannot_choose_the_folder(string fileName, string saved)
    {
        await using var api = await ServingAsync(content, fileName);

        var run = await CliRun.RunAsync(api, "download", Tasks.Id, "-o", folder.Path);

        run.ExitCode.ShouldBe(0, run.Error);
        folder.Entries.ShouldBe([saved]);
    }

    [Fact]
    public async Task Different_hash_ends_with_4_and_leaves_the_old_file()
    {
        await using var api = await ServingAsync(content, hash: Sha256("another"u8.ToArray()));
        var target = folder.Write("result.csv", "an older result");

        var run = await CliRun.RunAsync(api, "download", Tasks.Id, "-o", target);

        run.ExitCode.ShouldBe(4);
        run.Error.ShouldContain($"its SHA-256 is {Sha256(content)}");
        run.OutputBytes.ShouldBeEmpty();
        folder.Entries.ShouldBe(["result.csv"]);
        (await File.ReadAllTextAsync(target, TestContext.Current.CancellationToken)).ShouldBe("an older result");
    }

    [Fact]
    public async Task Result_without_a_hash_is_not_taken()
    {
        await using var api = await StandInApi.StartAsync(context => context.Response.WriteAsync("id,name"));

        var run = await CliRun.RunAsync(api, "download", Tasks.Id, "-o", folder.File("result.csv"));

        run.ExitCode.ShouldBe(4);
        folder.Entries.ShouldBeEmpty();
    }

    [Fact]
    public async Task Connection_that_breaks_off_ends_with_4_and_leaves_nothing()
    {
        await using var api = await StandInApi.StartAsync(async context =>
        {
            context.Response.Headers.ETag = $"\"{Sha256(content)}\"";
            context.Response.ContentLength = content.Length;
            await context.Response.Body.WriteAsync(content.AsMemory(0, 500_000));
            await context.Response.Body.FlushAsync();
            context.Abort();
        });

        var run = await CliRun.RunAsync(api, "download", Tasks.Id, "-o", folder.File("result.csv"));

        run.ExitCode.ShouldBe(4);
        folder.Entries.ShouldBeEmpty();
    }

    [Fact]
    public async Task Connection_that_stands_still_ends_with_4()
    {
        await using var api = await StandInApi.StartAsync(async context =>
        {
            context.Response.Headers.ETag = $"\"{Sha256(content)}\"";
            await context.Response.Body.WriteAsync(content.AsMemory(0, 1000));
            await context.Response.Body.FlushAsync();
            await StandInApi.SilenceAsync(context);
        });
        var impatient = new Surroundings { Timeouts = new HttpTimeouts { Idle = TimeSpan.FromSeconds(0.3) } };

        var run = await CliRun.RunAsync(api, impatient, "download", Tasks.Id, "-o", folder.File("result.csv"));

        run.ExitCode.ShouldBe(4);
        run.Error.ShouldContain("gave no answer for 0.3 s");
        folder.Entries.ShouldBeEmpty();
    }

    [Fact]
    public async Task Interruption_leaves_nothing()
    {
        using var interrupt = new CancellationTokenSource();
        await using var api = await StandInApi.StartAsync(async context =>
        {
            context.Response.Headers.ETag = $"\"{Sha256(content)}\"";
            await context.Response.Body.WriteAsync(content.AsMemory(0, 1000));
            await context.Response.Body.FlushAsync();
            await interrupt.CancelAsync();
            await StandInApi.SilenceAsync(context);
        });

        var run = await CliRun.RunAsync(
            api,
            new Surroundings { CancellationToken = interrupt.Token },
            "download",
            Tasks.Id,
            "-o",
            folder.File("result.csv")
        );

        run.ExitCode.ShouldBe(130);
        folder.Entries.ShouldBeEmpty();
    }

    [Fact]
    public async Task Dash_writes_the_bytes_to_standard_output_and_nothing_else()
    {
        await using var api = await ServingAsync(content);

        var run = await CliRun.RunAsync(api, "download", Tasks.Id, "-o", "-");

        run.ExitCode.ShouldBe(0);
        run.OutputBytes.ShouldBe(content);
        run.Error.ShouldBe("");
    }

    [Fact]
    public async Task Json_names_the_file_and_its_hash()
    {
        await using var api = await ServingAsync(content);

        var run = await CliRun.RunAsync(api, "download", Tasks.Id, "-o", folder.File("result.csv"), "--json");

        run.Json.GetProperty("file").GetString().ShouldBe(folder.File("result.csv"));
        run.Json.GetProperty("length").GetInt64().ShouldBe(content.Length);
        run.Json.GetProperty("sha256").GetString().ShouldBe(Sha256(content));
    }

    /// <summary>
    /// Uses an open file's path under /proc, where files cannot be created or replaced: a wrong version fails here without harm to the
    /// machine, whereas it would remove /dev/null.
    /// </summary>
    [Fact]
    public async Task Device_is_written_to_and_not_replaced()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs /proc.");
        await using var api = await ServingAsync(content);
        await using var open = new FileStream(folder.File("open"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite);
        var device = $"/proc/{Environment.ProcessId}/fd/{open.SafeFileHandle.DangerousGetHandle()}";

        var run = await CliRun.RunAsync(api, "download", Tasks.Id, "-o", device);

        run.ExitCode.ShouldBe(0, run.Error);
        (await File.ReadAllBytesAsync(folder.File("open"), TestContext.Current.CancellationToken)).ShouldBe(content);
    }

    /// <summary>The link's target is under /proc and cannot be opened for writing: the download is refused and replaces nothing.</summary>
    [Fact]
    public async Task Link_to_a_device_is_followed_before_deciding()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs /proc.");
        await using var api = await ServingAsync(content);
        File.CreateSymbolicLink(folder.File("link"), "/proc/version");

        var run = await CliRun.RunAsync(api, "download", Tasks.Id, "-o", folder.File("link"));

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldNotContain(".part");
        new FileInfo(folder.File("link")).LinkTarget.ShouldBe("/proc/version");
        folder.Entries.ShouldBe(["link"]);
    }

    [Fact]
    public async Task Link_to_a_file_stays_a_link()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs symbolic links.");
        await using var api = await ServingAsync(content);
        File.CreateSymbolicLink(folder.File("link"), folder.Write("target", "older"));

        var run = await CliRun.RunAsync(api, "download", Tasks.Id, "-o", folder.File("link"));

        run.ExitCode.ShouldBe(0, run.Error);
        new FileInfo(folder.File("link")).LinkTarget.ShouldBe(folder.File("target"));
        (await File.ReadAllBytesAsync(folder.File("target"), TestContext.Current.CancellationToken)).ShouldBe(content);
    }

    [Fact]
    public async Task No_result_yet_ends_with_3_and_the_apis_words()
    {
        await using var api = await StandInApi.StartAsync("""{"title":"Not Found","detail":"The task has no result file (yet)."}""", 404);

        var run = await CliRun.RunAsync(api, "download", Tasks.Id, "-o", folder.File("result.csv"));

        run.ExitCode.ShouldBe(3);
        run.ErrorLines.ShouldBe(["error: The API refused (404 Not Found).", "  The task has no result file (yet)."]);
        folder.Entries.ShouldBeEmpty();
    }

    private static Task<StandInApi> ServingAsync(byte[] body, string fileName = "result.csv", string? hash = null) =>
        StandInApi.StartAsync(async context =>
        {
            context.Response.ContentType = "text/csv";
            context.Response.ContentLength = body.Length;
            context.Response.Headers.ETag = $"\"{hash ?? Sha256(body)}\"";
            var quoted = fileName.Replace("\\", "\\\\", StringComparison.Ordinal);
            context.Response.Headers.ContentDisposition = $"attachment; filename=\"{quoted}\"";
            await context.Response.Body.WriteAsync(body);
        });

    private static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}

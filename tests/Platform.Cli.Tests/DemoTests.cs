using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

public sealed class DemoTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Every_step_is_told_with_its_seconds_and_the_numbers_agree()
    {
        var platform = new StandInPlatform();
        await using var api = await platform.StartAsync();

        var run = await CliRun.RunAsync(api, "demo", "--rows", "3", "--output", folder.Path);

        run.ExitCode.ShouldBe(0, run.Error);
        var uploaded = new FileInfo(folder.File("users.csv")).Length;
        Steps(run.Output)
            .ShouldBe([
                "s  3 users generated",
                $"s  {uploaded} bytes uploaded",
                "s  users.import: 3 imported, 0 updated, 0 skipped (existed already), 0 rejected",
                "s  users.export: 3 rows",
                $"s  3 rows downloaded to {folder.File("exported.csv")}",
                "s  users.statistics: 3 users, 2 countries, 1 months",
                "Imported 3 + updated 0 + skipped 0 of 3 rows; 3 users stored, 3 exported.",
            ]);
        platform
            .Submitted.Select(task => task.GetProperty("kind").GetString())
            .ShouldBe(["users.import", "users.export", "users.statistics"]);
        var import = platform.Submitted[0].GetProperty("parameters");
        import.GetProperty("fileId").GetString().ShouldBe(Tasks.Id);
        import.GetProperty("columns").EnumerateObject().Select(c => $"{c.Name}={c.Value}").ShouldContain("externalId=externalId");
        platform.Received.ShouldBe(await File.ReadAllTextAsync(folder.File("users.csv"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Json_is_one_object_and_the_steps_go_to_standard_error()
    {
        await using var api = await new StandInPlatform().StartAsync();

        var run = await CliRun.RunAsync(api, "demo", "--rows", "3", "--json");

        run.ExitCode.ShouldBe(0, run.Error);
        run.Json.GetProperty("imported").GetInt64().ShouldBe(3);
        run.Json.GetProperty("downloaded").GetInt64().ShouldBe(3);
        run.Json.GetProperty("disagreements").GetArrayLength().ShouldBe(0);
        run.Error.ShouldContain("s  3 users generated\n");
    }

    [Theory]
    [InlineData("imported", 2, "3 rows were generated, but 2 imported + 0 updated + 0 skipped, and 0 rejected.")]
    [InlineData("rejected", 1, "3 rows were generated, but 3 imported + 0 updated + 0 skipped, and 1 rejected.")]
    [InlineData("users", 4, "3 rows were exported, but users.statistics counted 4 users.")]
    [InlineData("rows", 4, "4 rows were exported, but the downloaded file has 3.")]
    public async Task Number_that_does_not_agree_is_named_and_ends_with_5(string number, long value, string expected)
    {
        await using var api = await new StandInPlatform { Numbers = { [number] = value } }.StartAsync();

        var run = await CliRun.RunAsync(api, "demo", "--rows", "3");
        var json = await CliRun.RunAsync(api, "demo", "--rows", "3", "--json");

        run.ExitCode.ShouldBe(5);
        run.Error.ShouldContain("error: The numbers do not agree.\n");
        run.Error.ShouldContain($"  {expected}\n");
        json.ExitCode.ShouldBe(5);
        json.Json.GetProperty("disagreements").EnumerateArray().Select(d => d.GetString()).ShouldContain(expected);
    }

    [Fact]
    public async Task Line_break_in_a_quoted_field_is_not_a_row()
    {
        await using var api = await new StandInPlatform
        {
            Export = "id,name\r\n1,\"two\r\nlines, \"\"quoted\"\"\"\r\n2,b\r\n3,c\r\n",
        }.StartAsync();

        var run = await CliRun.RunAsync(api, "demo", "--rows", "3");

        run.ExitCode.ShouldBe(0, run.Error);
    }

    [Fact]
    public async Task Task_that_fails_ends_with_1_and_its_error()
    {
        await using var api = await new StandInPlatform { Failing = "users.export" }.StartAsync();

        var run = await CliRun.RunAsync(api, "demo", "--rows", "3");

        run.ExitCode.ShouldBe(1);
        run.ErrorLines[^1].ShouldBe($"error: users.export (task {Tasks.Id}) is Failed: It broke.");
        run.Output.ShouldNotContain("users.export:");
    }

    [Fact]
    public async Task Result_without_its_number_ends_with_4()
    {
        var platform = new StandInPlatform();
        platform.Numbers.Remove("skipped");
        await using var api = await platform.StartAsync();

        var run = await CliRun.RunAsync(api, "demo", "--rows", "3");

        run.ExitCode.ShouldBe(4);
        run.ErrorLines[^1].ShouldBe($"error: The result of users.import (task {Tasks.Id}) has no number 'skipped'.");
    }

    [Fact]
    public async Task Interruption_ends_with_130()
    {
        using var interrupt = new CancellationTokenSource();
        await using var api = await StandInApi.StartAsync(async context =>
        {
            await interrupt.CancelAsync();
            await StandInApi.SilenceAsync(context);
        });

        var run = await CliRun.RunAsync(api, new Surroundings { CancellationToken = interrupt.Token }, "demo", "--rows", "3");

        run.ExitCode.ShouldBe(130);
    }

    /// <summary>Removes the seconds at the beginning of each line.</summary>
    private static string[] Steps(string output) =>
        [
            .. output
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.TrimStart(' ', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9')),
        ];

    /// <summary>The part of the platform that the demo uses. Every task has already succeeded when the demo asks for it.</summary>
    private sealed class StandInPlatform
    {
        /// <summary>The numbers in the results of all kinds.</summary>
        public Dictionary<string, long> Numbers { get; } =
            new()
            {
                ["imported"] = 3,
                ["updated"] = 0,
                ["skipped"] = 0,
                ["rejected"] = 0,
                ["rows"] = 3,
                ["users"] = 3,
                ["countries"] = 2,
                ["months"] = 1,
            };

        /// <summary>The kind that fails.</summary>
        public string Failing { get; init; } = "";

        public string Export { get; init; } = "id,name\r\n1,a\r\n2,b\r\n3,c\r\n";

        public List<JsonElement> Submitted { get; } = [];

        public string Received { get; private set; } = "";

        public Task<StandInApi> StartAsync() => StandInApi.StartAsync(AnswerAsync);

        private async Task AnswerAsync(HttpContext context)
        {
            var path = context.Request.Path.Value!;
            if (path == "/files")
            {
                using var body = new MemoryStream();
                await context.Request.Body.CopyToAsync(body);
                Received = Encoding.UTF8.GetString(body.ToArray());
                await StandInApi.AnswerAsync(
                    context,
                    $$"""{"id":"{{Tasks.Id}}","length":{{body.Length}},"sha256":"{{Sha256(body.ToArray())}}"}""",
                    201
                );
            }
            else if (HttpMethods.IsPost(context.Request.Method))
            {
                Submitted.Add((await JsonDocument.ParseAsync(context.Request.Body)).RootElement);
                await StandInApi.AnswerAsync(context, Tasks.Waiting(), 202);
            }
            else if (path.EndsWith("/result", StringComparison.Ordinal))
            {
                context.Response.Headers.ETag = $"\"{Sha256(Encoding.UTF8.GetBytes(Export))}\"";
                await context.Response.WriteAsync(Export);
            }
            else
            {
                var failed = Submitted[^1].GetProperty("kind").GetString() == Failing;
                await StandInApi.AnswerAsync(context, failed ? Tasks.Failed("It broke.") : Tasks.Succeeded(Numbers));
            }
        }

        private static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
    }
}

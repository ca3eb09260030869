using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

/// <summary>Tests what only a real process has: signals, its own streams, its exit code.</summary>
public sealed class ProcessTests
{
    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task Signal_stops_following_and_not_the_task(string signal, int exitCode)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Sends signals with kill.");
        var polled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var api = await StandInApi.StartAsync(async context =>
        {
            await StandInApi.AnswerAsync(context, Tasks.Running());
            polled.TrySetResult();
        });

        using var platform = Start(api, "follow", Tasks.Id);
        var output = platform.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = platform.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await polled.Task;
        using var kill = Process.Start("kill", [$"-{signal}", $"{platform.Id}"]);
        await platform.WaitForExitAsync(TestContext.Current.CancellationToken);

        platform.ExitCode.ShouldBe(exitCode);
        (await output).ShouldBe("");
        (await error).ShouldContain("the task is not affected");
        api.Requests.ShouldAllBe(request => HttpMethods.IsGet(request.Split(' ')[0]));
    }

    [Fact]
    public async Task Environment_chooses_the_api_and_standard_output_is_json()
    {
        await using var api = await StandInApi.StartAsync(Tasks.Succeeded());

        using var platform = Start(api, "follow", Tasks.Id, "--json");
        var output = await platform.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await platform.WaitForExitAsync(TestContext.Current.CancellationToken);

        platform.ExitCode.ShouldBe(0);
        System.Text.Json.JsonElement.Parse(output).GetProperty("status").GetString().ShouldBe("Succeeded");
    }

    [Fact]
    public async Task New_key_that_standard_output_does_not_take_can_be_revoked()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs /dev/full.");
        await using var api = await StandInApi.StartAsync(
            $$"""{"id":"{{Keys.Id}}","name":"ci","roles":["read"],"tenant":null,"expiresAt":null,"key":"{{Keys.Key}}"}""",
            201
        );

        using var shell = Process.Start(
            new ProcessStartInfo("sh", ["-c", "dotnet \"$0\" keys create ci --role read > /dev/full", PlatformDll])
            {
                UseShellExecute = false,
                RedirectStandardError = true,
                Environment = { ["PLATFORM_URL"] = api.Url },
            }
        )!;
        var error = await shell.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);

        shell.ExitCode.ShouldBe(2, error);
        error.ShouldStartWith($"Key {Keys.Id} 'ci': ");
        error.ShouldNotContain("aaaa");
    }

    private static string PlatformDll => Path.Combine(AppContext.BaseDirectory, "platform.dll");

    private static Process Start(StandInApi api, params string[] args) =>
        Process.Start(
            new ProcessStartInfo("dotnet", [PlatformDll, .. args])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["PLATFORM_URL"] = api.Url },
            }
        )!;
}

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

    private static Process Start(StandInApi api, params string[] args) =>
        Process.Start(
            new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "platform.dll"), .. args])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["PLATFORM_URL"] = api.Url },
            }
        )!;
}

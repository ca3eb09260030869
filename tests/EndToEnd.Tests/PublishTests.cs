using System.Diagnostics;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>What an image of a service contains is what <c>dotnet publish</c> makes of it.</summary>
public sealed class PublishTests
{
    [Theory]
    [InlineData("Api", "appsettings.json")]
    [InlineData("Worker", "appsettings.json")]
    [InlineData(
        "Dashboard",
        "appsettings.json|wwwroot/_framework/blazor.web.js|wwwroot/_content/MudBlazor/MudBlazor.min.css|wwwroot/_content/Platform.HeavyTasks.Dashboard/dashboard.css"
    )]
    public async Task A_service_can_be_published_with_all_its_files(string service, string files)
    {
        var output = Path.Combine(Path.GetTempPath(), $"publish-{Guid.NewGuid():N}");
        var provider = Repository.OutputFolder($"services/{service}").Split(Path.DirectorySeparatorChar)[^3];
        try
        {
            var start = new ProcessStartInfo("dotnet")
            {
                WorkingDirectory = Repository.Root,
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (
                var argument in (string[])
                    [
                        "publish",
                        $"services/{service}",
                        "--configuration",
                        "Release",
                        "--no-build",
                        $"-p:DatabaseProvider={provider}",
                        "--output",
                        output,
                        "--nologo",
                        "--verbosity",
                        "quiet",
                    ]
            )
            {
                start.ArgumentList.Add(argument);
            }

            using var process = Process.Start(start)!;
            var said = process.StandardOutput.ReadToEndAsync();
            var failed = process.StandardError.ReadToEndAsync();
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
            await process.WaitForExitAsync(limit.Token);

            process.ExitCode.ShouldBe(0, $"{await said}{await failed}");
            foreach (var file in files.Split('|').Append($"Platform.{service}.dll"))
            {
                File.Exists(Path.Combine(output, file)).ShouldBeTrue(file);
            }
        }
        finally
        {
            Directory.Delete(output, recursive: true);
        }
    }
}

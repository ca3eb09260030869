using System.Diagnostics;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>
/// A copy of examples/ExistingApp in an empty folder, built from the packages of this build alone: neither the solution's settings nor the
/// machine's cache of packages has a part in it.
/// </summary>
public sealed class ExistingApp : IAsyncLifetime
{
    private static readonly string[] Packages = ["Contracts", "Outbox", "HeavyTasks", "HeavyTasks.Analyzers"];
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string folder = Directory.CreateTempSubdirectory("existing-app-").FullName;

    private static string Example => Path.Combine(Repository.Root, "examples", "ExistingApp");

    public async ValueTask InitializeAsync()
    {
        foreach (var file in Directory.EnumerateFiles(Example, "*", SearchOption.AllDirectories).Where(IsSource))
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(Example, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        foreach (var package in Packages)
        {
            var project = Path.Combine(Repository.Root, "shared", package);
            await RunAsync("pack", project, "--no-build", "-c", Configuration, "-o", Path.Combine(folder, "packages"));
        }

        foreach (var project in new[] { "before/Shop", "after/InvoiceWorker" })
        {
            await RunAsync("build", Path.Combine(folder, project), "-c", Configuration);
        }
    }

    /// <summary>Builds one of the applications once more, with the package of the analyzers; returns what the compiler says.</summary>
    public async Task<string> AnalyzeAsync(string project)
    {
        var copy = Path.Combine(folder, "analyzed", project);
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Example, project), "*.cs*"))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        await File.WriteAllTextAsync(
            Path.Combine(copy, "Directory.Build.targets"),
            """<Project><ItemGroup><PackageReference Include="Platform.HeavyTasks.Analyzers" Version="0.1.0" /></ItemGroup></Project>"""
        );
        return await RunAsync("build", copy, "-c", Configuration);
    }

    /// <summary>Starts one of the applications.</summary>
    public ServiceProcess Start(string project, IReadOnlyDictionary<string, string?> environment) =>
        ServiceProcess.StartAssembly(
            Path.Combine(folder, project, "bin", Configuration, "net10.0", $"{project.Split('/')[^1]}.dll"),
            environment
        );

    /// <summary>The text of the cured application.</summary>
    public static string ReadAfter() =>
        string.Join(
            '\n',
            Directory
                .EnumerateFiles(Path.Combine(Example, "after"), "*", SearchOption.AllDirectories)
                .Where(IsSource)
                .Select(File.ReadAllText)
        );

    public static string ReadWalk() => File.ReadAllText(Path.Combine(Example, "README.md"));

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    private static bool IsSource(string file) =>
        !Path.GetRelativePath(Example, file).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "packages");

    private async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [.. arguments, "-nodeReuse:false"])
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // What others made stays where it is; what was made here goes with the folder.
        start.Environment["RestorePackagesPath"] = Path.Combine(folder, "restored");
        start.Environment["RestoreFallbackFolders"] =
            Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        process.ExitCode.ShouldBe(0, $"dotnet {string.Join(' ', arguments)}\n{await output}\n{await error}");
        return await output;
    }
}

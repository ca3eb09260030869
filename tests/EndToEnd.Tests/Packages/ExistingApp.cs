using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>
/// A copy of examples/ExistingApp in an empty folder, for the database of this build and built from its packages alone. What PostgreSQL differs in
/// stands in a folder of its own, whose files take the place of the others.
/// </summary>
public sealed class ExistingApp(PlatformPackages packages) : IAsyncLifetime
{
    private readonly string folder = packages.NewFolder("existing-app");

    private static string Example => Path.Combine(Repository.Root, "examples", "ExistingApp");

    private static string Configuration => PlatformPackages.Configuration;

    public async ValueTask InitializeAsync()
    {
        CopySources(Example, folder);
        if (Directory.Exists(Path.Combine(Example, PlatformPackages.Database)))
        {
            CopySources(Path.Combine(Example, PlatformPackages.Database), folder);
        }

        // Where the example looks for them.
        Directory.CreateSymbolicLink(Path.Combine(folder, "packages"), packages.Folder);
        foreach (var project in new[] { "before/Shop", "after/InvoiceWorker" })
        {
            await packages.RunAsync(folder, ["build", project, "-c", Configuration]);
        }
    }

    /// <summary>Builds one of the applications once more, with the package of the analyzers; returns what the compiler says.</summary>
    public async Task<string> AnalyzeAsync(string project)
    {
        var copy = Path.Combine(folder, "analyzed", project);
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, project), "*.cs*"))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        await File.WriteAllTextAsync(
            Path.Combine(copy, "Directory.Build.targets"),
            """<Project><ItemGroup><PackageReference Include="Platform.HeavyTasks.Analyzers" Version="0.1.0" /></ItemGroup></Project>"""
        );
        return await packages.RunAsync(folder, ["build", copy, "-c", Configuration]);
    }

    /// <summary>Starts one of the applications.</summary>
    public ServiceProcess Start(string project, IReadOnlyDictionary<string, string?> environment) =>
        ServiceProcess.StartAssembly(
            Path.Combine(folder, project, "bin", Configuration, "net10.0", $"{project.Split('/')[^1]}.dll"),
            environment
        );

    /// <summary>The text of the cured application.</summary>
    public string ReadAfter() => string.Join('\n', Sources(Path.Combine(folder, "after")).Select(File.ReadAllText));

    public static string ReadWalk() => File.ReadAllText(Path.Combine(Example, "README.md"));

    // The folder goes with the packages.
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static void CopySources(string from, string to)
    {
        foreach (var file in Sources(from))
        {
            var copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }
    }

    private static IEnumerable<string> Sources(string folder) =>
        Directory
            .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(file =>
                !Path.GetRelativePath(folder, file)
                    .Split(Path.DirectorySeparatorChar)
                    .Any(part => part is "bin" or "obj" or "packages" or "PostgreSql")
            );
}

using System.Diagnostics;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>
/// The packages of this build, in an empty folder; applications that are built beside them have nothing else of the repository: neither the
/// solution's settings nor what the machine's cache has of an earlier build has a part in it.
/// </summary>
public sealed class PlatformPackages : IAsyncLifetime
{
    public const string Collection = "packages";

    private static readonly string[] Projects =
    [
        "shared/Contracts/Contracts.csproj",
        "shared/Outbox/Outbox.csproj",
        "shared/HeavyTasks/HeavyTasks.csproj",
        "shared/HeavyTasks.Http/HeavyTasks.Http.csproj",
        "shared/HeavyTasks.Testing/HeavyTasks.Testing.csproj",
        "shared/HeavyTasks.Analyzers.CodeFixes/HeavyTasks.Analyzers.CodeFixes.csproj",
        "templates/Templates.csproj",
    ];
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly string root = Directory.CreateTempSubdirectory("platform-packages-").FullName;

    /// <summary>The folder with the packages.</summary>
    public string Folder => Path.Combine(root, "packages");

    public static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <summary>The database of this build: <c>MySql</c> or <c>PostgreSql</c>.</summary>
    public static string Database => Variant[0];

    // MySql, PostgreSql, or MySql.MassTransit, which is MySql with another outbox.
    private static string[] Variant => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Parent!.Name.Split('.');

    public async ValueTask InitializeAsync()
    {
        // One run for all of them: each of its own takes seconds to begin.
        var projects = string.Join(';', Projects.Select(project => Path.Combine(Repository.Root, project)));
        var properties =
            $"NoBuild=true;Configuration={Configuration};DatabaseProvider={Database};Outbox={Variant.ElementAtOrDefault(1)};PackageOutputPath={Folder}";
        var pack = Path.Combine(root, "pack.proj");
        await File.WriteAllTextAsync(
            pack,
            $"""
            <Project>
              <Target Name="Pack">
                <MSBuild Projects="{projects}" Targets="Pack" Properties="{properties}" />
              </Target>
            </Project>
            """
        );
        await RunAsync(root, ["msbuild", pack, "-t:Pack", "-nologo"]);
    }

    /// <summary>An empty folder for an application.</summary>
    public string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(root, name)).FullName;

    /// <summary>Runs <c>dotnet</c> in a folder; returns what it said.</summary>
    /// <param name="folder">Where it runs.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Further variables.</param>
    public async Task<string> RunAsync(
        string folder,
        IReadOnlyCollection<string> arguments,
        params IEnumerable<(string Name, string Value)> environment
    )
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";

        // What others made stays where it is; what was made here goes with the folder.
        start.Environment["RestorePackagesPath"] = Path.Combine(root, "restored");
        start.Environment["RestoreFallbackFolders"] =
            Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

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

    public ValueTask DisposeAsync()
    {
        Directory.Delete(root, recursive: true);
        return ValueTask.CompletedTask;
    }
}

/// <summary>The tests of what is built from the packages: they are packed once, and no two of these build at once.</summary>
[CollectionDefinition(PlatformPackages.Collection)]
public sealed class PackagesCollection : ICollectionFixture<PlatformPackages>;

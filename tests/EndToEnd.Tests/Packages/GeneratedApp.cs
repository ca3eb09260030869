using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>What <c>dotnet new heavy-tasks</c> makes of the template of this repository, in an empty folder. The machine's templates stay as they are.</summary>
public sealed class GeneratedApp
{
    private readonly PlatformPackages packages;

    private GeneratedApp(PlatformPackages packages, string name, string database)
    {
        this.packages = packages;
        Name = name;
        Folder = packages.NewFolder($"{name}.{database}.{Guid.NewGuid():N}");
    }

    public string Name { get; }

    public string Folder { get; }

    // The template's name of it.
    private static string Database => PlatformPackages.Database == "MySql" ? "mysql" : "postgres";

    /// <summary>Generates an application for the database of this build.</summary>
    public static Task<GeneratedApp> CreateAsync(PlatformPackages packages, string name) =>
        CreateAsync(packages, name, Database, Path.Combine(Repository.Root, "templates"));

    /// <summary>Generates an application for any database, from the template's package.</summary>
    public static Task<GeneratedApp> CreateFromPackageAsync(PlatformPackages packages, string name, string database) =>
        CreateAsync(packages, name, database, Directory.GetFiles(packages.Folder, "Platform.Templates.*.nupkg").Single());

    private static async Task<GeneratedApp> CreateAsync(PlatformPackages packages, string name, string database, string template)
    {
        var app = new GeneratedApp(packages, name, database);
        string[] hive = ["--debug:custom-hive", packages.NewFolder($"templates.{Guid.NewGuid():N}")];
        string[] options = ["-n", name, "-o", app.Folder, "--database", database, "--packageSource", packages.Folder];
        await app.RunAsync(["new", "install", template, .. hive]);
        await app.RunAsync(["new", "heavy-tasks", "--no-update-check", .. options, .. hive]);
        return app;
    }

    /// <summary>Each file's path and text.</summary>
    public IEnumerable<(string Path, string Text)> Files() =>
        Directory
            .EnumerateFiles(Folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })
            .Select(file => (Path.GetRelativePath(Folder, file), File.ReadAllText(file)));

    public Task<string> BuildAsync() => RunAsync(["build", "-c", PlatformPackages.Configuration]);

    /// <summary>Runs the application's own tests; returns the runner's last words.</summary>
    public Task<string> TestAsync(string database) =>
        packages.RunAsync(Folder, ["test", "--no-build", "-c", PlatformPackages.Configuration], ("TEST_DATABASE", database));

    public ServiceProcess Start(string project, IReadOnlyDictionary<string, string?> environment, params string[] arguments) =>
        ServiceProcess.StartAssembly(
            Path.Combine(Folder, project, "bin", PlatformPackages.Configuration, "net10.0", $"{Name}.{project}.dll"),
            environment,
            arguments
        );

    private Task<string> RunAsync(string[] arguments) => packages.RunAsync(Folder, arguments);
}

namespace Platform.Support;

/// <summary>Finds the source of this build.</summary>
public static class Repository
{
    /// <summary>The folder with Platform.sln.</summary>
    /// <exception cref="DirectoryNotFoundException">The test does not run from inside the repository.</exception>
    public static string Root { get; } = Find();

    /// <summary>
    /// The output folder of another project of the repository, built like the running test: same database, same configuration.
    /// </summary>
    /// <param name="project">The project's folder below the root, such as <c>services/Worker</c>.</param>
    public static string OutputFolder(string project)
    {
        // tests/Some.Tests/bin/PostgreSql/Release/net10.0: the part after the project's folder is the same for every project.
        var parts = Path.GetRelativePath(Root, AppContext.BaseDirectory).Split(Path.DirectorySeparatorChar);
        var bin = Array.IndexOf(parts, "bin");
        return Path.Combine([Root, .. project.Split('/'), .. parts[bin..]]);
    }

    private static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Platform.sln")))
            {
                return directory.FullName;
            }
        }

        throw new DirectoryNotFoundException($"Platform.sln was not found above {AppContext.BaseDirectory}.");
    }
}

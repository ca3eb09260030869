namespace Platform.Support;

/// <summary>Finds large files that tests use and that are not in the repository.</summary>
public static class SharedData
{
    /// <summary>
    /// The path of a file in the folder that the environment variable <c>SHARED_DATA</c> names; by default <c>../shared/data</c> next to
    /// the repository. If the file is absent, the test is skipped and says so.
    /// </summary>
    public static string Find(string name)
    {
        var folder = Environment.GetEnvironmentVariable("SHARED_DATA") is { Length: > 0 } given
            ? given
            : Path.GetFullPath(Path.Combine(Repository.Root, "..", "shared", "data"));
        var path = Path.Combine(folder, name);
        return File.Exists(path) ? path : throw new SkipTestException($"{path} is absent; set SHARED_DATA to the folder that has {name}.");
    }
}

namespace Platform.PoolRunner;

/// <summary>Where the other projects of this build are.</summary>
internal static class Repository
{
    /// <summary>The assembly of another project, built like this one.</summary>
    public static string Assembly(string project)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Platform.sln")))
        {
            root = root.Parent;
        }

        var parts = Path.GetRelativePath(root!.FullName, AppContext.BaseDirectory).Split(Path.DirectorySeparatorChar);
        return Path.Combine([
            root.FullName,
            .. project.Split('/'),
            .. parts[Array.IndexOf(parts, "bin")..],
            $"Platform.{project.Split('/')[^1]}.dll",
        ]);
    }
}

using System.Text.RegularExpressions;

namespace Platform.Support.Tests;

/// <summary>The documents are the map of the code; a link that leads nowhere is a wrong map.</summary>
public sealed partial class DocumentationTests
{
    private static readonly string[] Folders = ["docs", "shared", "bench", "examples", "templates", "services", "tools"];

    [Fact]
    public void Every_link_between_documents_and_files_leads_to_something()
    {
        var root = Repository.Root;
        var documents = Directory
            .EnumerateFiles(root, "*.md")
            .Concat(Folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(root, folder), "*.md", SearchOption.AllDirectories)))
            .Where(path => !path.Contains("/bin/", StringComparison.Ordinal) && !path.Contains("/obj/", StringComparison.Ordinal))
            .ToArray();
        documents.Length.ShouldBeGreaterThan(30);

        var broken = documents.SelectMany(BrokenLinks).ToArray();

        broken.ShouldBeEmpty();
    }

    private static IEnumerable<string> BrokenLinks(string document) =>
        from Match link in Link().Matches(File.ReadAllText(document))
        let target = link.Groups["target"].Value.Split('#')[0]
        where
            target.Length > 0
            && !target.Contains("://", StringComparison.Ordinal)
            && !target.StartsWith("mailto:", StringComparison.Ordinal)
        let path = Path.Combine(Path.GetDirectoryName(document)!, target)
        where !Path.Exists(path)
        select $"{Path.GetRelativePath(Repository.Root, document)}: {target}";

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)", RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Link();
}

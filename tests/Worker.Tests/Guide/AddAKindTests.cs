using System.Text.RegularExpressions;
using Platform.Support;

namespace Platform.Worker.Tests.Guide;

/// <summary>
/// The code of docs/add-a-kind.md is compiled and run: the files beside this one are that code, with the analyzers that hold for the reader.
/// </summary>
public sealed partial class AddAKindTests
{
    [Fact]
    public void Guide_shows_the_files_that_are_compiled_and_run_here_and_no_others()
    {
        var guide = File.ReadAllText(Path.Combine(Repository.Root, "docs", "add-a-kind.md"));

        var shown = Block()
            .Matches(guide)
            .ToDictionary(block => Path.GetFileName(block.Groups["path"].Value), block => block.Groups["code"].Value);

        shown.Keys.ShouldBe(["DeleteInactiveUsersParameters.cs", "DeleteInactiveUsers.cs", "DeleteInactiveUsersTests.cs"]);
        foreach (var (name, code) in shown)
        {
            code.ShouldBe(File.ReadAllText(Path.Combine(Repository.Root, "tests", "Worker.Tests", "Guide", name)));
        }
    }

    [Fact]
    public void Paths_that_the_guide_names_are_where_their_namespaces_are()
    {
        var guide = File.ReadAllText(Path.Combine(Repository.Root, "docs", "add-a-kind.md"));

        foreach (Match block in Block().Matches(guide))
        {
            var path = block.Groups["path"].Value;
            guide.ShouldContain($"`{path}`");
            var folder = Path.GetDirectoryName(path)!.Split('/', 2)[1].Replace('/', '.');
            var space = NamespaceLine().Match(block.Groups["code"].Value).Groups["name"].Value;

            // The records of parameters are in the namespace of their project.
            $"Platform.{folder}".ShouldStartWith(space);
        }
    }

    [GeneratedRegex(
        "^```csharp (?<path>[^\n]+)\n(?<code>.*?)^```",
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex Block();

    [GeneratedRegex("^namespace (?<name>[^;]+);", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex NamespaceLine();
}

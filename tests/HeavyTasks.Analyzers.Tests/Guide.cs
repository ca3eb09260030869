using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Platform.HeavyTasks.Analyzers.Tests;

/// <summary>
/// The C# of a page in docs/migrate. A code block names its file after the language: <c>csharp after/Shop/Program.cs</c>. The files of one
/// folder are one application.
/// </summary>
internal sealed partial class Guide
{
    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Net.Http.Json;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.AspNetCore.Hosting;
        global using Microsoft.AspNetCore.Http;
        global using Microsoft.AspNetCore.Routing;
        global using Microsoft.Extensions.Configuration;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        global using Microsoft.Extensions.Logging;
        """;

    private static readonly CSharpParseOptions Language = new(LanguageVersion.Latest);

    // References to older versions of the framework's assemblies: the SDK does not report them either.
    private static readonly IEnumerable<KeyValuePair<string, ReportDiagnostic>> NotOfTheSdk =
    [
        new("CS1701", ReportDiagnostic.Suppress),
        new("CS1702", ReportDiagnostic.Suppress),
    ];

    private readonly Dictionary<string, List<SyntaxTree>> applications;

    private Guide(string name, string text)
    {
        Name = name;
        applications = Block()
            .Matches(text)
            .GroupBy(
                block => block.Groups["folder"].Value,
                block => CSharpSyntaxTree.ParseText(block.Groups["code"].Value, Language, $"{name}: {block.Groups["file"].Value}")
            )
            .ToDictionary(files => files.Key, files => files.ToList(), StringComparer.Ordinal);
    }

    public string Name { get; }

    /// <summary>The folders that contain code: <c>before/Shop</c>, <c>after/Shop</c>, <c>after/Worker</c>.</summary>
    public IEnumerable<string> Applications => applications.Keys;

    public static IEnumerable<Guide> ReadAll() =>
        Directory.EnumerateFiles(Folder(), "*.md").Order().Select(file => new Guide(Path.GetFileName(file), File.ReadAllText(file)));

    /// <summary>
    /// Compiles an application with the packages' assemblies and, if its project file says so, with the Shop of the same guide.
    /// </summary>
    public CSharpCompilation Compile(string application)
    {
        var compilation = CSharpCompilation.Create(
            application.Replace('/', '.'),
            [.. applications[application], CSharpSyntaxTree.ParseText(ImplicitUsings, Language)],
            AnalyzerTest.References,
            new CSharpCompilationOptions(
                OutputKind.ConsoleApplication,
                nullableContextOptions: NullableContextOptions.Enable,
                specificDiagnosticOptions: NotOfTheSdk
            )
        );
        return application == "after/Worker" ? compilation.AddReferences(Compile("after/Shop").ToMetadataReference()) : compilation;
    }

    private static string Folder()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Platform.sln")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("No Platform.sln above the tests.");
        }

        return Path.Combine(directory.FullName, "docs", "migrate");
    }

    [GeneratedRegex(
        "^```csharp (?<file>(?<folder>[^/\n]+/[^/\n]+)/[^\n]+)\n(?<code>.*?)^```",
        RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex Block();
}

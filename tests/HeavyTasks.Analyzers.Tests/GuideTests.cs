using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Platform.HeavyTasks.Analyzers.Tests;

/// <summary>The code in docs/migrate compiles with today's packages, and the analyzers report what the guides say.</summary>
public sealed class GuideTests
{
    private static readonly ImmutableArray<DiagnosticAnalyzer> Analyzers =
    [
        new OutlivesRequestAnalyzer(),
        new HoldsConnectionAnalyzer(),
        new HandlerAnalyzer(),
    ];

    /// <summary>Each application after its migration.</summary>
    public static TheoryData<string, string> After =>
        [
            .. Guide
                .ReadAll()
                .SelectMany(g => g.Applications.Where(a => a.StartsWith("after/", StringComparison.Ordinal)).Select(a => (g.Name, a))),
        ];

    [Theory]
    [MemberData(nameof(After))]
    public async Task Code_after_a_migration_compiles_and_no_analyzer_reports_it(string guide, string application)
    {
        var compilation = Read(guide).Compile(application);

        compilation
            .GetDiagnostics(TestContext.Current.CancellationToken)
            .Where(d => d.Severity >= DiagnosticSeverity.Warning)
            .Select(d => d.ToString())
            .ShouldBeEmpty();
        (await AnalyzeAsync(compilation)).ShouldBeEmpty();
    }

    [Fact]
    public void All_three_guides_in_csharp_have_a_web_application_and_a_worker() =>
        After.Count.ShouldBe(6, "a block whose first line names no file is not compiled");

    [Fact]
    public async Task Code_before_the_migration_from_Task_Run_is_reported_once_for_the_request_s_own_context()
    {
        // Without the provider's package this does not compile here; the analyzers do not need it to.
        var reported = await AnalyzeAsync(Read("from-task-run.md").Compile("before/Shop"));

        reported.ShouldHaveSingleItem().ShouldContain("'db'");
        reported[0].ShouldContain("PLT001");
    }

    private static Guide Read(string name) => Guide.ReadAll().Single(g => g.Name == name);

    private static async Task<IReadOnlyList<string>> AnalyzeAsync(Compilation compilation) =>
        [
            .. (await compilation.WithAnalyzers(Analyzers).GetAnalyzerDiagnosticsAsync(TestContext.Current.CancellationToken)).Select(d =>
                d.ToString()
            ),
        ];
}

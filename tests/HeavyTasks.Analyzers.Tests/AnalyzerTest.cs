using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Testing;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;

namespace Platform.HeavyTasks.Analyzers.Tests;

/// <summary>
/// Compiles code that uses the real Entity Framework, ASP.NET Core, MassTransit and engine, and checks the marked diagnostics.
/// </summary>
internal static class AnalyzerTest
{
    private const string Application = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Channels;
        global using System.Threading.Tasks;
        global using MassTransit;
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.AspNetCore.Http;
        global using Microsoft.EntityFrameworkCore;
        global using Microsoft.Extensions.DependencyInjection;
        global using Platform.HeavyTasks;

        public class ShopDbContext(DbContextOptions<ShopDbContext> options) : DbContext(options)
        {
            public DbSet<Order> Orders => Set<Order>();
        }

        public class Order { public int Id { get; set; } }

        public class Orders(ShopDbContext db)
        {
            public Task ShipAsync(int id) => db.SaveChangesAsync();
        }

        public interface IWorkQueue { void Enqueue(Func<CancellationToken, Task> work); }

        public record Ship(int Id);
        """;

    /// <summary>Everything that the tests themselves run on, including the assemblies of the packages.</summary>
    public static readonly MetadataReference[] References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    /// <summary>Verifies that the analyzer reports what is marked, such as <c>{|PLT001:db|}</c>, and nothing else.</summary>
    public static Task VerifyAsync<TAnalyzer>(string code)
        where TAnalyzer : DiagnosticAnalyzer, new()
    {
        var test = new CSharpAnalyzerTest<TAnalyzer, DefaultVerifier> { TestState = { Sources = { code, Application } } };
        return RunAsync(test);
    }

    /// <summary>
    /// Verifies that the fix turns the code into the fixed code, also with Fix All. Without fixed code, no fix may be offered.
    /// </summary>
    public static Task VerifyFixAsync<TAnalyzer, TFix>(string code, string? fixedCode = null)
        where TAnalyzer : DiagnosticAnalyzer, new()
        where TFix : CodeFixProvider, new()
    {
        var test = new CSharpCodeFixTest<TAnalyzer, TFix, DefaultVerifier> { TestState = { Sources = { code, Application } } };
        if (fixedCode is not null)
        {
            test.FixedState.Sources.Add(fixedCode);
            test.FixedState.Sources.Add(Application);
        }

        return RunAsync(test);
    }

    private static Task RunAsync(AnalyzerTest<DefaultVerifier> test)
    {
        test.ReferenceAssemblies = new ReferenceAssemblies("net10.0");
        test.CompilerDiagnostics = CompilerDiagnostics.Errors;
        test.TestState.AdditionalReferences.AddRange(References);
        test.SolutionTransforms.Add(
            (solution, project) => solution.WithProjectParseOptions(project, new CSharpParseOptions(LanguageVersion.Latest))
        );
        return test.RunAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Verifies statements inside an endpoint: an instance method with everything that a request has.</summary>
    public static Task VerifyEndpointAsync<TAnalyzer>(string statements)
        where TAnalyzer : DiagnosticAnalyzer, new() =>
        VerifyAsync<TAnalyzer>(
            $$"""
            public class Endpoint(IServiceScopeFactory scopes, IDbContextFactory<ShopDbContext> factory, IWorkQueue queue, HttpClient http, Channel<Func<Task>> channel)
            {
                private readonly ShopDbContext _db = null!;

                public async Task HandleAsync(int id, ShopDbContext db, Orders orders, HttpContext context)
                {
                    await Task.Yield();
                    {{statements}}
                }

                private static Task WorkAsync(ShopDbContext db, int id) => Task.CompletedTask;
            }
            """
        );
}

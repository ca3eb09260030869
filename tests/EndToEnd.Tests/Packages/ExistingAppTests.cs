using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>
/// Follows examples/ExistingApp: the application that its background work brings down, and the same application repaired with the packages.
/// </summary>
[Collection(PlatformPackages.Collection)]
public sealed partial class ExistingAppTests(ExistingApp app) : IClassFixture<ExistingApp>
{
    // The limit of the example's pool.
    private const int PoolSize = 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Before_the_pool_is_exhausted_for_ever_by_as_many_invoices_as_it_has_connections()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.EmptyAsync();
        await using var shop = app.Start(
            "before/Shop",
            Environment($"{database.ConnectionString};Maximum Pool Size={PoolSize};{ExistingAppDatabase.TimeoutOf3}")
        );
        using var client = await ClientAsync(shop);
        var order = await OrderAsync(client);
        (await client.GetAsync(order)).StatusCode.ShouldBe(HttpStatusCode.OK);

        for (var i = 0; i < 2 * PoolSize; i++)
        {
            (await client.PostAsync($"{order}/invoice", null)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        }

        await Eventually.Async(async () => await database.CountAsync(ExistingAppDatabase.Invoices) == PoolSize, Patience);
        (await client.GetAsync(order)).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        shop.Output.ShouldContain(ExistingAppDatabase.PoolIsExhausted);
        (await client.GetAsync(order)).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await database.CountAsync(ExistingAppDatabase.Invoices)).ShouldBe(PoolSize);
        await shop.KillAsync();
    }

    [Fact]
    public async Task After_requests_are_answered_and_no_invoice_is_lost_when_the_web_process_is_killed()
    {
        const int Invoices = 60;
        await using var database = await TestDatabase.CreateAsync();
        await database.EmptyAsync();
        await using var broker = await TestBroker.CreateAsync();
        var environment = Environment(database.ConnectionString);
        environment["RabbitMq__Uri"] = broker.Uri.ToString();
        await using var shop = app.Start("after/Shop", environment);
        using var client = await ClientAsync(shop);
        var order = await OrderAsync(client);

        for (var i = 0; i < Invoices; i++)
        {
            (await client.PostAsync($"{order}/invoice", null)).StatusCode.ShouldBe(HttpStatusCode.Accepted);
            (await client.GetAsync(order)).StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        await shop.KillAsync();
        await using var worker = app.Start("after/InvoiceWorker", environment);

        await Eventually.Async(async () => await database.CountAsync("heavy_tasks WHERE status = 'Succeeded'") == Invoices, Patience);
        (await database.CountAsync(ExistingAppDatabase.Invoices)).ShouldBe(Invoices);
        worker.Terminate();
        (await worker.WaitForExitAsync(Patience)).ShouldBe(0);
    }

    [Fact]
    public async Task Analyzer_finds_the_mistake_of_the_one_and_nothing_in_the_other()
    {
        (await app.AnalyzeAsync("before/Shop")).ShouldContain("warning PLT001");
        (await app.AnalyzeAsync("after/Shop")).ShouldNotContain("PLT0");
    }

    [Fact]
    public void Walk_has_fewer_than_ten_edits_and_shows_what_the_cured_application_has()
    {
        var walk = ExistingApp.ReadWalk();
        EditHeading().Count(walk).ShouldBeInRange(5, 9);
        var after = Lines(app.ReadAfter()).ToHashSet(StringComparer.Ordinal);
        var shown = CodeBlock().Matches(walk).SelectMany(block => Lines(block.Groups["code"].Value)).Select(ForThisDatabase).ToList();

        shown.Count.ShouldBeGreaterThan(30);
        shown.ShouldAllBe(line => after.Contains(line));
    }

    private static IEnumerable<string> Lines(string text) => text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0);

    // The walk names the package for MySQL, and says what it is called for PostgreSQL.
    private static string ForThisDatabase(string line) =>
        line.Replace("Tasks.MySql", $"Tasks.{PlatformPackages.Database}", StringComparison.Ordinal);

    private static Dictionary<string, string?> Environment(string connectionString) =>
        new() { ["ConnectionStrings__Shop"] = connectionString, ["ASPNETCORE_URLS"] = "http://127.0.0.1:0" };

    private static async Task<HttpClient> ClientAsync(ServiceProcess shop) =>
        new() { BaseAddress = await shop.WaitForAddressAsync(Patience), Timeout = Patience };

    private static async Task<string> OrderAsync(HttpClient client)
    {
        using var response = await client.PostAsJsonAsync("/orders", new { amount = 12.5 });
        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        return response.Headers.Location!.ToString();
    }

    [GeneratedRegex("^### [0-9]+\\. ", RegexOptions.Multiline, 1000)]
    private static partial Regex EditHeading();

    [GeneratedRegex("```(csharp|xml|json)\n(?<code>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex CodeBlock();
}

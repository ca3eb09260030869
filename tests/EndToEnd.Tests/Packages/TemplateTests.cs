using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>The template heavy-tasks: from nothing to a task that succeeded.</summary>
[Collection(PlatformPackages.Collection)]
public sealed partial class TemplateTests(PlatformPackages packages)
{
    private const int Orders = 2_500;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Generated_application_is_built_from_the_packages_alone_passes_its_tests_and_runs_a_task()
    {
        var app = await GeneratedApp.CreateAsync(packages, "Shop");
        CodeWarning().IsMatch(await app.BuildAsync()).ShouldBeFalse();

        // The tests make their database themselves.
        await using var testDatabase = await TestDatabase.CreateAsync();
        await testDatabase.DropAsync();
        var tested = Outcome().Match(await app.TestAsync(testDatabase.ConnectionString));
        (tested.Groups["passed"].Value, tested.Groups["skipped"].Value).ShouldBe(("1", "0"), tested.Value);

        await using var database = await TestDatabase.CreateAsync();
        await database.EmptyAsync();
        await using var broker = await TestBroker.CreateAsync();
        var environment = new Dictionary<string, string?>
        {
            ["ConnectionStrings__Shop"] = database.ConnectionString,
            ["RabbitMq__Uri"] = broker.Uri.ToString(),
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
        };
        var (migrated, said) = await RunAsync(app, environment, "migrate");
        migrated.ShouldBe(0, said);
        var (created, key) = await RunAsync(app, environment, "create-key", "tests", "Submit,read");
        created.ShouldBe(0, key);

        await using var api = app.Start("Api", environment);
        await using var worker = app.Start("Worker", environment);
        using var client = new HttpClient { BaseAddress = await api.WaitForAddressAsync(Patience), Timeout = Patience };
        using var workerClient = new HttpClient { BaseAddress = await worker.WaitForAddressAsync(Patience) };

        (await client.GetStringAsync("/health")).ShouldBe("Healthy");
        (await SubmitAsync(client, Orders)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await client.GetAsync("/orders/summary")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);

        // What the command prints is the key, and nothing else.
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        (await client.GetAsync("/keys")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await SubmitAsync(client, 0)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using var accepted = await SubmitAsync(client, Orders);
        accepted.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await Eventually.Async(
            async () =>
                (await client.GetFromJsonAsync<JsonObject>(accepted.Headers.Location))!["status"]!.GetValue<string>() == "Succeeded",
            Patience
        );

        (await client.GetFromJsonAsync<JsonObject>("/orders/summary"))!["orders"]!.GetValue<long>().ShouldBe(Orders);
        (await workerClient.GetStringAsync("/health")).ShouldBe("Healthy");
        foreach (var process in new[] { worker, api })
        {
            process.Terminate();
            (await process.WaitForExitAsync(Patience)).ShouldBe(0, process.Output);
        }

        foreach (var (name, roles) in new[] { ("tests", "submit,owner"), ("tests", "16"), ("tests", "none"), (" ", "read") })
        {
            var (refused, reason) = await RunAsync(app, environment, "create-key", name, roles);
            refused.ShouldBe(2, reason);
            reason.ShouldNotContain("platform_");
        }
    }

    [Theory]
    [InlineData("mysql", "PostgreSql|Npgsql|Host=")]
    [InlineData("postgres", "MySql|Pomelo|Server=")]
    public async Task Neither_the_other_database_nor_the_template_is_left_in_what_is_generated(string database, string other)
    {
        var app = await GeneratedApp.CreateFromPackageAsync(packages, "my-shop", database);
        var files = app.Files().ToList();

        files.ShouldContain(file => file.Path == "Data/Migrations/my_shopDbContextModelSnapshot.cs");
        foreach (var (path, text) in files)
        {
            Regex
                .Match(
                    path + text,
                    $"{other}|Starter|HeavyTasksApp|#if|#endif|PACKAGE_SOURCE|Database=my-|namespace [^;\n]*-",
                    RegexOptions.IgnoreCase
                )
                .Value.ShouldBe("", path);
        }
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(
        GeneratedApp app,
        IReadOnlyDictionary<string, string?> environment,
        params string[] command
    )
    {
        await using var process = app.Start("Api", environment, command);
        return (await process.WaitForExitAsync(Patience), process.Output);
    }

    private static Task<HttpResponseMessage> SubmitAsync(HttpClient client, int count) =>
        client.PostAsJsonAsync("/heavy-tasks", new { kind = "orders.add", parameters = new { count } });

    // Of the compiler and its analyzers; what NuGet warns of is the registry's.
    [GeneratedRegex("warning (?!NU)", RegexOptions.None, 1000)]
    private static partial Regex CodeWarning();

    [GeneratedRegex("Passed: +(?<passed>[0-9]+), Skipped: +(?<skipped>[0-9]+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Outcome();
}

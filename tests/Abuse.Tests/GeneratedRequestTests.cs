using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Platform.Abuse.Tests;

/// <summary>Thousands of requests that are nearly right.</summary>
public sealed partial class GeneratedRequestTests
{
    private const int Requests = 10_000;
    private const int AtOnce = 16;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task No_request_makes_the_service_fail_hang_tell_its_inside_or_grow()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        await using var api = await AbusedApi.StartAsync();
        var document = await api.Client.GetFromJsonAsync<JsonElement>("/openapi/v1.json", TestContext.Current.CancellationToken);
        var generated = new GeneratedRequests(document, seed);
        await SendAsync(api, generated, Requests / 10, []);
        var before = api.Megabytes();
        var faults = new ConcurrentQueue<string>();
        var statuses = await SendAsync(api, generated, Requests, faults);

        TestContext.Current.TestOutputHelper.WriteLine(string.Join(", ", statuses.OrderBy(s => s.Key).Select(s => $"{s.Key}: {s.Value}")));
        faults.Take(20).ShouldBeEmpty($"seed {seed}");

        // The generator must reach what it is for: accepted requests as well as every kind of refusal.
        statuses.Keys.ShouldContain(202, $"seed {seed}");
        statuses.Keys.ShouldContain(400, $"seed {seed}");
        statuses.Values.Sum().ShouldBe(Requests);
        await api.AskAsync();
        TestContext.Current.TestOutputHelper.WriteLine($"memory {before} MiB before, {api.Megabytes()} MiB after");
        api.Megabytes().ShouldBeLessThan(before + 150, "memory comes back to its start");
        api.Process.Output.ShouldNotContain("Unhandled exception");
    }

    private static async Task<ConcurrentDictionary<int, int>> SendAsync(
        AbusedApi api,
        GeneratedRequests generated,
        int count,
        ConcurrentQueue<string> faults
    )
    {
        var statuses = new ConcurrentDictionary<int, int>();
        var requests = Enumerable.Range(0, count).Select(_ => generated.Next()).ToList();
        await Parallel.ForEachAsync(
            requests,
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (request, cancellationToken) =>
            {
                using (request)
                {
                    statuses.AddOrUpdate(await SendAsync(api, request, faults, cancellationToken), 1, (_, n) => n + 1);
                }
            }
        );
        return statuses;
    }

    private static async Task<int> SendAsync(
        AbusedApi api,
        HttpRequestMessage request,
        ConcurrentQueue<string> faults,
        CancellationToken cancellationToken
    )
    {
        var watch = Stopwatch.StartNew();
        try
        {
            using var response = await api.Client.SendAsync(request, cancellationToken);
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            if (Fault(request, response, body, watch.Elapsed) is { } fault)
            {
                faults.Enqueue($"{Describe(request)}: {(int)response.StatusCode} {fault} | {Short(body)}");
            }

            return (int)response.StatusCode;
        }
        catch (HttpRequestException exception) when (request.Content is not null && exception.InnerException is IOException)
        {
            // The service answers a body that it refuses before it has read it, and closes the connection.
            return 0;
        }
    }

    private static string? Fault(HttpRequestMessage request, HttpResponseMessage response, string body, TimeSpan elapsed)
    {
        var status = (int)response.StatusCode;
        if (status >= 500 && status != 503)
        {
            return "is the service's fault";
        }

        if (elapsed > Limit)
        {
            return $"took {elapsed.TotalSeconds:N0} s";
        }

        if (Inside().Match(body) is { Success: true } inside)
        {
            return $"tells of its inside: {inside.Value}";
        }

        if (status < 400 || request.Method == HttpMethod.Head)
        {
            return null;
        }

        if (response.Content.Headers.ContentType?.MediaType != "application/problem+json")
        {
            return body.Length == 0 && status is 400 or 431 or 414
                ? null
                : $"is no problem document but {response.Content.Headers.ContentType}";
        }

        var problem = JsonElement.Parse(body);
        return problem.GetProperty("status").GetInt32() != status ? "has another status inside"
            : !problem.TryGetProperty("errors", out var errors) ? null
            : errors.EnumerateObject().Select(e => e.Name).FirstOrDefault(IsDotNetName) is { } name ? $"names {name} as no client wrote it"
            : null;
    }

    private static bool IsDotNetName(string name) =>
        name is "Kind" or "Parameters" or "MaxFailures" or "DueAt" or "FileId" or "Columns" or "Delimiter" or "Encoding" or "Country"
        || name.Contains("System.", StringComparison.Ordinal);

    private static string Describe(HttpRequestMessage request) =>
        $"{request.Method} {Short(request.RequestUri!.ToString())} {request.Content?.Headers.ContentType}";

    private static string Short(string text) => text.Length > 300 ? text[..300] : text;

    [GeneratedRegex(
        @"   at [A-Z]\w+\.|System\.\w+Exception|MySqlConnector|Npgsql|EntityFramework|heavy_tasks|stored_files|\bSELECT \w|Microsoft\.AspNetCore|/src/|Platform\.[A-Z]\w+\.[A-Z]",
        RegexOptions.None,
        matchTimeoutMilliseconds: 5_000
    )]
    private static partial Regex Inside();
}

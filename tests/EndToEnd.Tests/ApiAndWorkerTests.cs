using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>The two services as they are deployed, seen from outside.</summary>
public sealed class ApiAndWorkerTests
{
    [Fact]
    public async Task One_trace_leads_from_the_request_to_the_handlers_SQL_and_the_pools_have_meters()
    {
        await using var otlp = await OtlpReceiver.StartAsync();
        (string, string)[] export =
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", otlp.Address.ToString()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "300"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
        ];
        await using var system = await TestSystem.StartAsync();
        using var http = await StartAsync(system, export);

        var id = await SubmitAsync(http, "users.statistics", new { });
        await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded);

        bool IsRequest(ReceivedSpan s) => s is { Service: "platform-api", Scope: "Microsoft.AspNetCore" };
        bool IsPublish(ReceivedSpan s) => s is { Service: "platform-api", Scope: "MassTransit", Name: "outbox send" };
        List<ReceivedSpan> Trace() =>
            otlp.Spans.FirstOrDefault(IsPublish) is { } publish ? [.. otlp.Spans.Where(s => s.TraceId == publish.TraceId)] : [];
        bool InWorker(ReceivedSpan s, string scope) => s.Service == "platform-worker" && s.Scope == scope;
        await Eventually.Async(
            () => Trace() is var t && t.Any(s => InWorker(s, "MassTransit")) && t.Any(s => InWorker(s, Dialect.Current.TelemetryName)),
            TimeSpan.FromSeconds(30),
            $"the trace reaches the worker's SQL"
        );

        // The parent of each span is known, from the worker's SQL up to the request.
        await Eventually.Async(() => Path(Trace()).Any(), TimeSpan.FromSeconds(15), "an unbroken path leads up to the request");

        var request = Trace().Single(IsRequest);
        request.Name.ShouldBe("POST /heavy-tasks/");
        request.Attributes["http.route"].ShouldBe("/heavy-tasks/");
        request.Attributes["http.request.method"].ShouldBe("POST");
        request.Attributes["http.response.status_code"].ShouldBe("202");
        await Eventually.Async(
            () => Trace().Any(s => InWorker(s, "Platform.HeavyTasks")),
            TimeSpan.FromSeconds(15),
            "the attempt has a span"
        );
        var attempt = Trace().Single(s => InWorker(s, "Platform.HeavyTasks") && s.Name == "attempt users.statistics");
        attempt.Attributes["platform.heavy_task.id"].ShouldBe($"{id}");
        attempt.Attributes["platform.heavy_task.attempt"].ShouldBe("1");

        // Both services have looked into the database many times by now, and nobody wants to see that.
        otlp.Spans.Where(s => s.Scope == Dialect.Current.TelemetryName && s.ParentId.Length == 0).ShouldBeEmpty();

        string[] pool = ["platform.pool.in_use", "platform.pool.max", "platform.pool.wait"];
        string[] tasks = ["platform.heavy_task.queue_wait", "platform.heavy_task.run_time", "platform.heavy_task.slots"];

        // MassTransit's own outbox has no meter of its backlog.
        (string, string)[] outbox = Dialect.Current.Name == "PostgreSql" ? [("platform-api", "platform.outbox.lag")] : [];
        (string, string)[] expected =
        [
            .. outbox,
            .. pool.Select(m => ("platform-api", m)),
            .. pool.Select(m => ("platform-worker", m)),
            .. tasks.Select(m => ("platform-worker", m)),
        ];
        await Eventually.Async(() => expected.All(otlp.Metrics.ContainsKey), TimeSpan.FromSeconds(30), "pools and tasks have meters");

        IEnumerable<ReceivedSpan> Path(List<ReceivedSpan> spans)
        {
            var byId = spans.DistinctBy(s => s.Id).ToDictionary(s => s.Id);
            return spans
                .Where(s => InWorker(s, Dialect.Current.TelemetryName))
                .Where(s =>
                {
                    var current = s;
                    while (current.ParentId.Length > 0 && byId.TryGetValue(current.ParentId, out var parent))
                    {
                        current = parent;
                    }

                    return IsRequest(current);
                });
        }
    }

    [Fact]
    public async Task Worker_is_live_and_ready_and_says_what_is_away()
    {
        await using var system = await TestSystem.StartAsync();
        var worker = system.StartProcess("services/Worker", []);
        using var http = new HttpClient
        {
            BaseAddress = await worker.WaitForAddressAsync(TimeSpan.FromSeconds(60)),
            Timeout = TimeSpan.FromSeconds(30),
        };

        (await http.GetFromJsonAsync<JsonElement>("/health/live")).GetProperty("status").GetString().ShouldBe("Healthy");
        await Eventually.Async(
            async () =>
                (await http.GetFromJsonAsync<JsonElement>("/health/ready")).GetProperty("checks").GetProperty("broker").GetString()
                == "Healthy",
            TimeSpan.FromSeconds(30)
        );
        (await http.GetFromJsonAsync<JsonElement>("/health/ready"))
            .GetProperty("checks")
            .GetProperty("database")
            .GetString()
            .ShouldBe("Healthy");
    }

    [Fact]
    public async Task Services_lists_both_with_their_pools_and_drops_one_that_stopped()
    {
        await using var system = await TestSystem.StartAsync();
        using var http = await StartAsync(system, [("Database:MaxPoolSize", "20")]);

        JsonElement services = default;
        await Eventually.Async(
            async () =>
            {
                services = await http.GetFromJsonAsync<JsonElement>("/services");
                return Names(services).Contains("platform-worker");
            },
            TimeSpan.FromSeconds(30),
            "the worker is listed"
        );
        Names(services).ShouldContain("platform-api");
        var worker = services.GetProperty("services").EnumerateArray().Single(s => s.GetProperty("name").GetString() == "platform-worker");
        worker.GetProperty("poolMax").GetInt32().ShouldBe(20);
        worker.GetProperty("slots").GetInt32().ShouldBe(6);
        services.GetProperty("connections").GetProperty("max").GetInt32().ShouldBeGreaterThan(20);

        system.Process("services/Worker").Terminate();

        await Eventually.Async(
            async () => !Names(await http.GetFromJsonAsync<JsonElement>("/services")).Contains("platform-worker"),
            TimeSpan.FromSeconds(60),
            "the worker drops out"
        );
    }

    [Fact]
    public async Task A_running_task_is_cancelled_within_two_seconds()
    {
        await using var system = await TestSystem.StartAsync();
        await system.StartWorkerAsync();
        using var http = await StartAsync(system, [], worker: false);
        var id = await system.SubmitStepsAsync("a", steps: 1_000, pauseMilliseconds: 100);
        await system.WaitForStepAsync("a", 2);

        var watch = Stopwatch.StartNew();
        using var response = await http.PostAsync($"/heavy-tasks/{id}/cancel", null, TestContext.Current.CancellationToken);
        response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        await system.WaitForStatusAsync(id, HeavyTaskStatus.Cancelled);

        // A cancel takes two seconds on a quiet machine: one look of the keeper and one write. The limit leaves room for a busy machine.
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(6));
    }

    [Fact]
    public async Task A_kind_that_the_API_was_not_built_with_is_submitted_and_runs_as_soon_as_its_worker_has_started()
    {
        await using var system = await TestSystem.StartAsync();
        using var http = await StartAsync(system, [], worker: false);
        const string steps = """{"kind":"test.steps","parameters":{"name":"a","steps":3,"pauseMilliseconds":0}}""";
        using (var early = await PostAsync(http, steps))
        {
            early.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
            (await early.Content.ReadAsStringAsync()).ShouldContain("Known kinds: users.export, users.import, users.statistics.");
        }

        await system.StartWorkerAsync();

        // The API looks for an unknown name at most once a second, and it has just looked.
        HttpResponseMessage? submitted = null;
        await Eventually.Async(
            async () =>
            {
                submitted?.Dispose();
                submitted = await PostAsync(http, steps);
                return submitted.StatusCode == HttpStatusCode.Accepted;
            },
            TimeSpan.FromSeconds(10),
            "the kind is accepted"
        );
        var id = (await submitted!.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
        submitted.Dispose();
        await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded);
        (await system.StepsWrittenAsync("a")).ShouldBe([0, 1, 2]);

        using var wrong = await PostAsync(http, steps.Replace("3", "\"three\"", StringComparison.Ordinal));
        wrong.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await wrong.Content.ReadFromJsonAsync<JsonElement>())
            .GetProperty("errors")
            .GetProperty("parameters.steps")[0]
            .GetString()
            .ShouldBe("A whole number from -2147483648 to 2147483647 is expected.");
        (await http.GetFromJsonAsync<JsonElement>("/heavy-tasks/kinds"))
            .EnumerateArray()
            .Select(kind => kind.GetProperty("kind").GetString())
            .ShouldBe(["test.other-steps", "test.steps", "users.export", "users.import", "users.statistics"]);
    }

    private static async Task<HttpClient> StartAsync(TestSystem system, IEnumerable<(string, string)> settings, bool worker = true)
    {
        var api = system.StartProcess("services/Api", settings);
        if (worker)
        {
            var process = system.StartProcess("services/Worker", settings);
            await process.WaitForOutputAsync("Application started", TimeSpan.FromSeconds(60));
        }

        return new HttpClient
        {
            BaseAddress = await api.WaitForAddressAsync(TimeSpan.FromSeconds(60)),
            Timeout = TimeSpan.FromSeconds(30),
        }.WithTestKey();
    }

    private static async Task<Guid> SubmitAsync(HttpClient http, string kind, object parameters)
    {
        using var response = await PostAsync(http, JsonSerializer.Serialize(new { kind, parameters }));
        response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        return (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient http, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await http.PostAsync("/heavy-tasks", content);
    }

    private static List<string> Names(JsonElement services) =>
        [.. services.GetProperty("services").EnumerateArray().Select(s => s.GetProperty("name").GetString()!)];
}

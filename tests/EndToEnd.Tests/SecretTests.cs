using System.Data.Common;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>Nothing that the services write or send contains a secret, however much they log.</summary>
public sealed class SecretTests
{
    [Fact]
    public async Task No_secret_is_in_logs_traces_answers_messages_or_arguments()
    {
        await using var otlp = await OtlpReceiver.StartAsync();
        await using var system = await TestSystem.StartAsync();
        (string, string)[] settings =
        [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", otlp.Address.ToString()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "300"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
            ("Logging:LogLevel:Default", "Trace"),
            ("Logging:LogLevel:Microsoft.AspNetCore", "Trace"),
            ("Logging:LogLevel:Microsoft.EntityFrameworkCore", "Trace"),
            ("Logging:LogLevel:MassTransit", "Trace"),
        ];
        var api = system.StartProcess("services/Api", settings);
        var worker = system.StartProcess("services/Worker", settings);
        using var client = new HttpClient { BaseAddress = await api.WaitForAddressAsync(TimeSpan.FromSeconds(60)) }.WithTestKey();
        using var stranger = new HttpClient { BaseAddress = client.BaseAddress };
        var wrong = TestKey.Value[..^1] + "7";
        stranger.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", wrong);
        await worker.WaitForOutputAsync("Application started", TimeSpan.FromSeconds(60));
        var answers = new StringBuilder();

        // What goes well, what is refused, and what fails.
        var task = await SendAsync(client, HttpMethod.Post, "/heavy-tasks", """{"kind":"users.statistics"}""");
        var id = Guid.Parse(task.Split("\"id\":\"")[1][..36]);
        await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded);
        var created = await CreateKeyAsync();
        foreach (
            var path in (string[])["/heavy-tasks", $"/heavy-tasks/{id}", "/keys", "/audit", "/services", "/openapi/v1.json", "/nothing"]
        )
        {
            await SendAsync(client, HttpMethod.Get, path);
            await SendAsync(stranger, HttpMethod.Get, path);
        }

        await SendAsync(client, HttpMethod.Post, "/heavy-tasks", "{");
        await SendAsync(client, HttpMethod.Post, "/keys", """{"name":"","roles":[]}""");
        await SendAsync(client, HttpMethod.Delete, $"/keys/{created.Split('_')[1]}", null);
        await system.Database.EmptyAsync();
        await SendAsync(client, HttpMethod.Get, "/heavy-tasks");
        await Eventually.Async(
            () => otlp.Spans.Any(span => span.Service == "platform-worker") && otlp.Spans.Any(span => span.Service == "platform-api"),
            TimeSpan.FromSeconds(30),
            "traces of both services arrived"
        );

        var written = new Dictionary<string, string>
        {
            ["the API's log"] = api.Output,
            ["the worker's log"] = worker.Output,
            ["an answer"] = $"{answers}",
            ["a trace or a metric"] = string.Concat(otlp.Bodies.Select(Encoding.Latin1.GetString)),
            ["an argument"] = Arguments(api) + Arguments(worker),
        };
        written.Values.ShouldAllBe(text => text.Length > 0);

        // What is searched is what was meant to be: every level of the log, the statements, and answers about the key.
        api.Output.ShouldContain("dbug:");
        worker.Output.ShouldContain("dbug:");
        written["a trace or a metric"].ShouldContain("api_keys");
        written["an answer"].ShouldContain(created.Split('_')[1]);
        var secrets = new Dictionary<string, string>
        {
            ["the secret of a key"] = TestKey.Value.Split('_')[2],
            ["the secret of a new key"] = created.Split('_')[2],
            ["a wrong key"] = wrong.Split('_')[2],
            ["the database's password"] = PasswordOf(system.Database.ConnectionString),
            ["the broker's password"] = Uri.UnescapeDataString(system.Broker.Uri.UserInfo.Split(':')[1]),
        };
        foreach (var (where, text) in written)
        {
            foreach (var (what, secret) in secrets)
            {
                text.Contains(secret, StringComparison.Ordinal).ShouldBeFalse($"{what} is in {where}: {Around(text, secret)}");
            }
        }

        async Task<string> SendAsync(HttpClient from, HttpMethod method, string path, string? body = null)
        {
            using var request = new HttpRequestMessage(method, path);
            request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await from.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            answers.Append(response.Headers).Append(text);
            return text;
        }

        // The one answer that has a key.
        async Task<string> CreateKeyAsync()
        {
            using var content = new StringContent("""{"name":"new","roles":["read"]}""", Encoding.UTF8, "application/json");
            using var response = await client.PostAsync("/keys", content);
            response.StatusCode.ShouldBe(HttpStatusCode.Created);
            return (await response.Content.ReadAsStringAsync()).Split("\"key\":\"")[1].Split('"')[0];
        }
    }

    private static string Arguments(ServiceProcess process) => File.ReadAllText($"/proc/{process.Id}/cmdline");

    private static string PasswordOf(string connectionString) =>
        (string)new DbConnectionStringBuilder { ConnectionString = connectionString }["Password"];

    private static string Around(string text, string secret)
    {
        var at = text.IndexOf(secret, StringComparison.Ordinal);
        return at < 0 ? "" : text[Math.Max(0, at - 200)..at];
    }
}

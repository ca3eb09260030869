using System.Text.Json;

namespace Platform.Cli.Tests.Support;

/// <summary>Tasks as the API writes them.</summary>
internal static class Tasks
{
    public const string Id = "0198f3a2-5b1c-7d3e-9f40-112233445566";

    private static readonly JsonSerializerOptions web = new(JsonSerializerDefaults.Web);

    public static string Running(long done = 0, long? total = null, string? text = null, int attempt = 1) =>
        Write(
            "Running",
            attempt,
            new
            {
                done,
                total,
                text,
            },
            result: null,
            error: null,
            finishedAt: null,
            new { self = Self, cancel = $"{Self}/cancel" }
        );

    public static string Waiting(string status = "Queued") =>
        Write(
            status,
            attempt: 0,
            progress: null,
            result: null,
            error: null,
            finishedAt: null,
            new { self = Self, cancel = $"{Self}/cancel" }
        );

    public static string Succeeded(object? result = null) =>
        Write(
            "Succeeded",
            attempt: 1,
            progress: null,
            result ?? new { rows = 200000, imported = 199998 },
            error: null,
            Finished,
            new { self = Self, result = $"{Self}/result" }
        );

    public static string Failed(string error, int attempt = 3) =>
        Write("Failed", attempt, progress: null, result: null, error, Finished, new { self = Self, retry = $"{Self}/retry" });

    public static string Cancelled() =>
        Write("Cancelled", attempt: 1, progress: null, result: null, error: null, Finished, new { self = Self, retry = $"{Self}/retry" });

    private static string Self => $"/heavy-tasks/{Id}";

    private static DateTimeOffset Started => new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private static DateTimeOffset Finished => Started.AddSeconds(12.34);

    private static string Write(
        string status,
        int attempt,
        object? progress,
        object? result,
        string? error,
        DateTimeOffset? finishedAt,
        object links
    ) =>
        JsonSerializer.Serialize(
            new
            {
                id = Id,
                kind = "users.import",
                status,
                attempt,
                failures = status is "Failed" ? attempt : 0,
                crashes = 0,
                maxFailures = 3,
                cancelRequested = false,
                createdAt = Started.AddSeconds(-1),
                dueAt = (DateTimeOffset?)null,
                queuedAt = Started.AddSeconds(-1),
                startedAt = attempt > 0 ? Started : (DateTimeOffset?)null,
                finishedAt,
                progress,
                result,
                error,
                attempts = Enumerable
                    .Range(1, attempt)
                    .Select(number => new
                    {
                        attempt = number,
                        worker = "host-a:4711",
                        startedAt = Started,
                        endedAt = finishedAt,
                        outcome = finishedAt is null ? null : status,
                        error,
                    }),
                links,
            },
            web
        );
}

using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Platform.HeavyTasks;

namespace Platform.Api.HeavyTasks;

/// <summary>The body of <c>POST /heavy-tasks</c>.</summary>
internal sealed record SubmitHeavyTaskRequest
{
    /// <summary>What to run; see <c>GET /heavy-tasks/kinds</c>.</summary>
    [Required]
    public required string Kind { get; init; }

    /// <summary>The parameters of that kind; may be left out when it needs none.</summary>
    public JsonElement? Parameters { get; init; }

    /// <summary>Not before this time (ISO 8601; without an offset it is UTC), at most a year ahead. Default: now.</summary>
    public DateTime? DueAt { get; init; }

    /// <summary>Failures after which the task is given up, 1 to 100. Default: what the service is set to.</summary>
    [Range(1, HeavyTask.MaxMaxAttempts)]
    public int? MaxAttempts { get; init; }

    /// <summary><see cref="DueAt"/> in UTC.</summary>
    internal DateTime? DueAtUtc =>
        DueAt switch
        {
            null => null,
            { Kind: DateTimeKind.Unspecified } time => DateTime.SpecifyKind(time, DateTimeKind.Utc),
            { } time => time.ToUniversalTime(),
        };
}

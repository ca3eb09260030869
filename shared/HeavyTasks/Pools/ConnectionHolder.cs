using System.Text.Json;
using System.Text.Json.Serialization;

namespace Platform.HeavyTasks;

/// <summary>Who holds a connection and for how long, as reported in the row of the instance and by <c>GET /services</c>.</summary>
internal sealed record ConnectionHolder
{
    /// <summary>The most holders that the row of an instance contains.</summary>
    public const int MaxCount = 5;

    /// <summary>The longest text of the holders in the row, in characters.</summary>
    public const int MaxJsonLength = 4000;

    private const int MaxNameLength = 200;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    };

    // To hold a connection for a shorter time is ordinary.
    private static readonly TimeSpan Worthwhile = TimeSpan.FromMilliseconds(100);

    /// <summary>The kind of the task that took the connection; null when no task did.</summary>
    public string? Kind { get; init; }

    /// <summary>The id of the task.</summary>
    public Guid? TaskId { get; init; }

    /// <summary>The attempt of the task.</summary>
    public int? Attempt { get; init; }

    /// <summary>The method and route pattern of the request that took the connection; null when no request did.</summary>
    public string? Route { get; init; }

    /// <summary>
    /// The name of the loop, or of other work, that took the connection; null for tasks, requests and work without a name.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>Whether the attempt or the request has ended, so that work it left behind holds the connection.</summary>
    public bool HasEnded { get; init; }

    /// <summary>Seconds since the connection was taken.</summary>
    public double HeldSeconds { get; init; }

    /// <summary>Seconds since a statement last ran on the connection; null while one runs.</summary>
    public double? IdleSeconds { get; init; }

    /// <summary>Whether nothing has run on the connection for longer than <c>Database:IdleConnectionLimit</c>.</summary>
    public bool IdleTooLong { get; init; }

    /// <summary>Describes a connection that is held now.</summary>
    public static ConnectionHolder Of(HeldConnection held, TimeProvider time)
    {
        var description = held.Holder switch
        {
            RunningAttempt task => new ConnectionHolder
            {
                Kind = task.Kind,
                TaskId = task.Fence.TaskId,
                Attempt = task.Fence.Attempt,
                HasEnded = task.Settled.IsCompleted,
            },
            RequestWork request => new ConnectionHolder { Route = Shorten(request.Route), HasEnded = request.HasEnded },
            var other => new ConnectionHolder { Name = Shorten(other?.ToString()) },
        };
        var now = time.GetTimestamp();
        return description with
        {
            HeldSeconds = Seconds(time.GetElapsedTime(held.Since, now)),
            IdleSeconds = held.IdleSince is { } since ? Seconds(time.GetElapsedTime(since, now)) : null,
            IdleTooLong = held.IsIdleTooLong,
        };
    }

    /// <summary>
    /// Writes the longest holders for the row of the instance; null when none has held a connection long enough to matter.
    /// </summary>
    public static string? Write(ConnectionHolders holders, TimeProvider time)
    {
        ConnectionHolder[] longest = [.. holders.Longest.Where(h => holders.Held(h) >= Worthwhile).Take(MaxCount).Select(h => Of(h, time))];
        while (longest.Length > 0)
        {
            var text = JsonSerializer.Serialize(longest, Json);
            if (text.Length <= MaxJsonLength)
            {
                return text;
            }

            longest = longest[..^1];
        }

        return null;
    }

    /// <summary>Reads what another instance wrote. Text that cannot be read, perhaps from another version, gives an empty list.</summary>
    public static IReadOnlyList<ConnectionHolder> Read(string? text)
    {
        try
        {
            return text is null ? [] : JsonSerializer.Deserialize<ConnectionHolder[]>(text, Json) ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static double Seconds(TimeSpan time) => Math.Round(Math.Max(0, time.TotalSeconds), 1);

    private static string? Shorten(string? text) => text?.Length > MaxNameLength ? text[..MaxNameLength] : text;
}

namespace Platform.HeavyTasks;

/// <summary>A message that no consumer could read or handle, kept as it came so that nothing is lost.</summary>
public class PoisonMessage
{
    /// <summary>The id, assigned by the database in rising order.</summary>
    public long Id { get; init; }

    /// <summary>The queue it came from.</summary>
    public string Queue { get; init; } = "";

    /// <summary>Its transport message id, if it had one.</summary>
    public string? MessageId { get; init; }

    /// <summary>Its content type, if it had one.</summary>
    public string? ContentType { get; init; }

    /// <summary>Its transport headers as JSON.</summary>
    public string Headers { get; init; } = "{}";

    /// <summary>Its body, byte for byte.</summary>
    public byte[] Body { get; init; } = [];

    /// <summary>Why it was set aside.</summary>
    public string Error { get; init; } = "";

    /// <summary>When it was set aside (UTC).</summary>
    public DateTime CreatedAt { get; init; }
}

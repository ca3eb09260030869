namespace Platform.HeavyTasks;

/// <summary>
/// Who did what, when, from where, and with what outcome. Rows are only added, and deleted when their retention is over. Used by Entity
/// Framework and by the proxies that it may make.
/// </summary>
public class AuditEntry
{
    internal const int MaxActorLength = 200;
    internal const int MaxActionLength = 100;
    internal const int MaxTargetLength = 100;
    internal const int MaxOutcomeLength = 20;
    internal const int MaxAddressLength = 64;

    /// <summary>A version 7 UUID, so entries sort by time.</summary>
    public Guid Id { get; init; }

    /// <summary>When (UTC).</summary>
    public DateTime CreatedAt { get; init; }

    /// <summary>The id of the key that the client used, or its name identifier where the application knows its clients otherwise.</summary>
    public string Actor { get; init; } = "";

    /// <summary>The name of the key; for a command, the user of the system and the machine.</summary>
    public string ActorName { get; init; } = "";

    /// <summary>The tenant of the client; empty for none.</summary>
    public string TenantId { get; init; } = "";

    /// <summary>What it did: the name of the endpoint, such as <c>CancelHeavyTask</c>, or of the command.</summary>
    public string Action { get; init; } = "";

    /// <summary>To what: the id of a task or key; empty where the action has none.</summary>
    public string Target { get; init; } = "";

    /// <summary>With what outcome: <c>Done</c>, <c>NotFound</c>, <c>Conflict</c> or <c>Forbidden</c>.</summary>
    public string Outcome { get; init; } = "";

    /// <summary>The address from which the request came: of the client, or of the proxy before the service.</summary>
    public string Address { get; init; } = "";
}

/// <summary>How an action ended.</summary>
internal enum AuditOutcome
{
    /// <summary>It was done, in the same transaction as its entry.</summary>
    Done,

    /// <summary>There is nothing of that id, or not for this client.</summary>
    NotFound,

    /// <summary>The state of its target did not allow it.</summary>
    Conflict,

    /// <summary>The client lacks the role.</summary>
    Forbidden,
}

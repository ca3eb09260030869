namespace Platform.Persistence;

/// <summary>Where a heavy task stands. Stored by name.</summary>
public enum HeavyTaskStatus
{
    /// <summary>Waits for <see cref="HeavyTask.DueAt"/>: submitted for later, or to be retried after a failure.</summary>
    Scheduled,

    /// <summary>Waits for a worker; a <c>HeavyTaskRequested</c> was written with it.</summary>
    Queued,

    /// <summary>A worker owns it.</summary>
    Running,

    /// <summary>Done; its result stands.</summary>
    Succeeded,

    /// <summary>Given up: failures or crashes used up, or its handler said that retrying is useless.</summary>
    Failed,

    /// <summary>Stopped on request.</summary>
    Cancelled,
}

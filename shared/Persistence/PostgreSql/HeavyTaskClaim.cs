using Microsoft.EntityFrameworkCore;

namespace Platform.Persistence;

/// <summary>What a worker learns of the task that it claimed.</summary>
public sealed record ClaimedHeavyTask
{
    /// <summary>The task.</summary>
    public Guid Id { get; init; }

    /// <summary>Its kind.</summary>
    public string Kind { get; init; } = "";

    /// <summary>Its parameters as JSON.</summary>
    public string Parameters { get; init; } = "";

    /// <summary>The attempt that this claim began.</summary>
    public int Attempt { get; init; }

    /// <summary>Failures so far.</summary>
    public int Failures { get; init; }

    /// <summary>Failures after which it is given up.</summary>
    public int MaxAttempts { get; init; }

    /// <summary>State of the last checkpoint as JSON.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Progress at the last checkpoint.</summary>
    public long ProgressDone { get; init; }

    /// <summary>When it became queued (UTC).</summary>
    public DateTime? QueuedAt { get; init; }

    /// <summary>When it was claimed (UTC, the database's clock).</summary>
    public DateTime StartedAt { get; init; }
}

/// <summary>Queued to Running, with the record of the attempt, in one statement and so in one transaction and one round trip.</summary>
public static class HeavyTaskClaim
{
    /// <summary>Claims a task for an owner. Null when it is not queued (any more): the message that led here is a duplicate, or late.</summary>
    public static async Task<ClaimedHeavyTask?> ClaimHeavyTaskAsync(
        this PlatformDbContext db, Guid taskId, Guid owner, string worker, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(db);
        var claimed = await db.Database.SqlQuery<ClaimedHeavyTask>(
            $"""
            WITH claimed AS (
                UPDATE heavy_tasks
                SET status = 'Running', owner = {owner}, attempt = attempt + 1, started_at = statement_timestamp(), due_at = NULL
                WHERE id = {taskId} AND status = 'Queued'
                RETURNING id, kind, parameters, attempt, failures, max_attempts, checkpoint, progress_done, queued_at, started_at),
            recorded AS (
                INSERT INTO heavy_task_attempts (task_id, attempt, owner, worker, started_at)
                SELECT id, attempt, {owner}, {worker}, started_at FROM claimed)
            SELECT id AS "Id", kind AS "Kind", parameters AS "Parameters", attempt AS "Attempt", failures AS "Failures", max_attempts AS "MaxAttempts",
                   checkpoint AS "Checkpoint", progress_done AS "ProgressDone", queued_at AS "QueuedAt", started_at AS "StartedAt"
            FROM claimed
            """).ToListAsync(cancellationToken);
        return claimed.Count == 1 ? claimed[0] : null;
    }
}

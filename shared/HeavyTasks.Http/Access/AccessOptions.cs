using System.ComponentModel.DataAnnotations;

namespace Platform.HeavyTasks.Http;

/// <summary>Limits what one client may ask of one process, and who sees what tasks contain. Section <c>Access</c>.</summary>
public sealed class AccessOptions
{
    /// <summary>
    /// How many requests a second one client may send to one process: after a pause that many at once, then as many a second. One more is
    /// answered 429 with <c>Retry-After</c>, before its body is read. A client is a key, or a name identifier where the application knows its
    /// clients otherwise. Default 0: no limit; range 0 to 1,000,000.
    /// </summary>
    [Range(0, 1_000_000)]
    public int MaxRequestsPerSecond { get; set; }

    /// <summary>
    /// How many uploads, and likewise downloads, one client may have under way at the same time in one process. One more is answered 429
    /// with <c>Retry-After</c>. Default 0: only the limit for all clients together (<see cref="FileUploadOptions.MaxConcurrent"/>); range 0
    /// to 10,000.
    /// </summary>
    [Range(0, 10_000)]
    public int MaxTransfers { get; set; }

    /// <summary>
    /// How many tasks of one client may wait (Scheduled or Queued), in all processes together. Who submits one more is answered 429 with
    /// <c>Retry-After</c>. What waits is counted every two seconds while somebody submits, so with several processes there may be more for that
    /// long. Tasks that a handler submits count for nobody. Default 0: no limit; range 0 to 1,000,000.
    /// </summary>
    [Range(0, 1_000_000)]
    public int MaxWaitingTasks { get; set; }

    /// <summary>
    /// The role that a client needs to see what tasks contain: parameters, results, errors, what progress says, and result files. To others they
    /// are null, in the API as on the dashboard, and a result file is answered 403. One of <c>submit</c>, <c>read</c>, <c>operate</c>,
    /// <c>admin</c>. Default <c>read</c>: whoever may read a task sees all of it.
    /// </summary>
    [Required, AllowedValues("submit", "read", "operate", "admin")]
    public string PayloadRole { get; set; } = "read";
}

namespace Platform.HeavyTasks;

/// <summary>
/// Says that a task needs a stored file: its parameters name the file's id. Written with the task and deleted with it, so that nobody has to
/// search the parameters of tasks before a file is deleted.
/// </summary>
public class HeavyTaskFile
{
    /// <summary>The file.</summary>
    public Guid FileId { get; init; }

    /// <summary>The task.</summary>
    public Guid TaskId { get; init; }
}

using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>Lines of one attempt that are not in the database yet: the newest <see cref="HeavyTaskLogLine.MaxLines"/>.</summary>
internal sealed class AttemptLines(Guid taskId, int attempt)
{
    private readonly Lock gate = new();
    private readonly Queue<HeavyTaskLogLine> lines = new();
    private int last;

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return lines.Count;
            }
        }
    }

    /// <summary>Adds a line. The oldest goes when there are too many.</summary>
    public void Add(DateTime at, LogLevel level, string text)
    {
        lock (gate)
        {
            if (lines.Count == HeavyTaskLogLine.MaxLines)
            {
                lines.Dequeue();
            }

            lines.Enqueue(
                new HeavyTaskLogLine
                {
                    TaskId = taskId,
                    Attempt = attempt,
                    Number = ++last,
                    At = at,
                    Level = level,
                    Text = text,
                }
            );
        }
    }

    /// <summary>Takes all lines out.</summary>
    public HeavyTaskLogLine[] Take()
    {
        lock (gate)
        {
            var taken = lines.ToArray();
            lines.Clear();
            return taken;
        }
    }
}

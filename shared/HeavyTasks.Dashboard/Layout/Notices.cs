namespace Platform.HeavyTasks.Dashboard;

/// <summary>
/// What people are told after an action, for some seconds. The component library's own would write a style element into the page, which the
/// content security policy refuses.
/// </summary>
internal sealed class Notices(TimeProvider time)
{
    private const int MaxShown = 3;
    private static readonly TimeSpan Shown = TimeSpan.FromSeconds(10);

    private readonly List<Notice> notices = [];

    /// <summary>Is told when there is something else to show.</summary>
    public event EventHandler? Changed;

    /// <summary>What is shown now, the newest last.</summary>
    public IReadOnlyList<Notice> Current => [.. notices];

    /// <summary>Tells what was done.</summary>
    public void Tell(string text) => Add(new Notice(text, IsFailure: false));

    /// <summary>Tells what did not work.</summary>
    public void TellFailure(string text) => Add(new Notice(text, IsFailure: true));

    /// <summary>Takes a notice away.</summary>
    public void Remove(Notice notice)
    {
        if (notices.Remove(notice))
        {
            Changed?.Invoke(this, EventArgs.Empty);
        }
    }

    // On the dispatcher of the page, as every action is, so the list needs no lock.
    private async void Add(Notice notice)
    {
        notices.Add(notice);
        if (notices.Count > MaxShown)
        {
            notices.RemoveAt(0);
        }

        Changed?.Invoke(this, EventArgs.Empty);
        await Task.Delay(Shown, time);
        Remove(notice);
    }

    /// <summary>One notice.</summary>
    internal sealed record Notice(string Text, bool IsFailure)
    {
        /// <summary>Two notices of the same text are two.</summary>
        public Guid Id { get; } = Guid.NewGuid();
    }
}

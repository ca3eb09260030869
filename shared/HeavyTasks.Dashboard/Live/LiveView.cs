using Microsoft.AspNetCore.Components;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>A page that shows something that moves.</summary>
public abstract class LiveView : ComponentBase, IDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);

    private readonly List<IDisposable> looks = [];
    private bool isDisposed;
    private int isUpdating;

    [Inject]
    internal LiveReader Reader { get; set; } = null!;

    /// <summary>Looks at something until the page is left. Replaces <paramref name="look"/>, if there is one.</summary>
    private protected LiveReader.Look<TValue> Look<TValue>(ILiveQuery<TValue> query, LiveReader.Look<TValue>? look)
        where TValue : class
    {
        if (look is not null)
        {
            looks.Remove(look);
            look.Dispose();
        }

        var begun = Reader.Begin(query, Changed);
        if (isDisposed)
        {
            // The page was left while it asked whether it may look.
            begun.Dispose();
        }
        else
        {
            looks.Add(begun);
        }

        return begun;
    }

    /// <summary>Waits a moment for the first value, so that the page that is sent first contains it.</summary>
    private protected static async Task AwaitFirstAsync<TValue>(LiveReader.Look<TValue> look)
        where TValue : class
    {
        try
        {
            await look.FirstRead.WaitAsync(FirstWait);
        }
        catch (TimeoutException)
        {
            // The page says that it is loading.
        }
    }

    /// <summary>Is called after each read, before the page is shown again.</summary>
    private protected virtual void OnRead() { }

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Stops looking.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing && !isDisposed)
        {
            isDisposed = true;
            looks.ForEach(look => look.Dispose());
        }
    }

    // On another thread than the reader's, which others wait for; and once, however often it reads before the page is shown.
    private void Changed()
    {
        if (Interlocked.Exchange(ref isUpdating, 1) == 0)
        {
            _ = Task.Run(() => InvokeAsync(Update));
        }
    }

    private void Update()
    {
        Volatile.Write(ref isUpdating, 0);
        if (!isDisposed)
        {
            OnRead();
            StateHasChanged();
        }
    }
}

using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>
/// Reads what people look at, again and again. All who look at the same share one reader, so the statements a second do not grow with the
/// number of browsers. What nobody looks at is not read.
/// </summary>
internal sealed class LiveReader(
    IServiceScopeFactory scopes,
    IOptions<DashboardOptions> options,
    TimeProvider time,
    ILogger<LiveReader> logger
) : IDisposable
{
    private readonly IServiceScopeFactory scopes = scopes;
    private readonly DashboardOptions options = options.Value;
    private readonly TimeProvider time = time;
    private readonly ILogger logger = logger;
    private readonly ConcurrentDictionary<object, LiveValue> values = new();
    private readonly SemaphoreSlim places = new(options.Value.MaxConcurrentReads);
    private readonly CancellationTokenSource stopping = new();

    /// <summary>How many different things are read.</summary>
    public int Count => values.Count;

    /// <summary>
    /// Begins to look at something, until the result is disposed. <paramref name="changed"/> is called after each read, on any thread.
    /// </summary>
    /// <param name="query">What to read. Equal queries share one reader, so it says everything that the answer depends on.</param>
    /// <param name="changed">Is told of each new value and each failure.</param>
    public Look<TValue> Begin<TValue>(ILiveQuery<TValue> query, Action changed)
        where TValue : class
    {
        while (true)
        {
            var value = (LiveValue<TValue>)values.GetOrAdd(query, _ => new LiveValue<TValue>(this, query));
            if (value.TryAdd(changed))
            {
                return new Look<TValue>(value, changed);
            }
        }
    }

    public void Dispose()
    {
        stopping.Cancel();
        stopping.Dispose();
        places.Dispose();
    }

    private void Forget(LiveValue value, object query) => values.TryRemove(KeyValuePair.Create(query, value));

    /// <summary>Something that is looked at, as long as this is not disposed.</summary>
    internal sealed class Look<TValue>(LiveValue<TValue> value, Action changed) : IDisposable
        where TValue : class
    {
        /// <summary>The last value, and whether the last read failed.</summary>
        public Snapshot<TValue> Current => value.Current;

        /// <summary>Ends with the first read.</summary>
        public Task FirstRead => value.FirstRead;

        /// <summary>Reads again now, because somebody has changed something.</summary>
        public void Refresh() => value.Refresh();

        public void Dispose() => value.Remove(changed);
    }

    internal abstract class LiveValue : IDisposable
    {
        public abstract void Dispose();
    }

    /// <summary>One thing that is read for everybody who looks at it.</summary>
    internal sealed class LiveValue<TValue>(LiveReader reader, ILiveQuery<TValue> query) : LiveValue
        where TValue : class
    {
        private readonly Lock gate = new();
        private readonly List<Action> watchers = [];
        private readonly SemaphoreSlim wanted = new(0);
        private bool isRunning;
        private bool isGone;

        private readonly TaskCompletionSource firstRead = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Snapshot<TValue> Current { get; private set; } = new(null, null, null);

        public Task FirstRead => firstRead.Task;

        /// <summary>Adds a watcher; false when the reader has just ended, and another one is needed.</summary>
        public bool TryAdd(Action changed)
        {
            lock (gate)
            {
                if (isGone)
                {
                    return false;
                }

                watchers.Add(changed);
                if (!isRunning)
                {
                    isRunning = true;
                    _ = Task.Run(RunAsync);
                }

                return true;
            }
        }

        public void Remove(Action changed)
        {
            lock (gate)
            {
                watchers.Remove(changed);
            }
        }

        public override void Dispose() => wanted.Dispose();

        public void Refresh()
        {
            // One wish is enough.
            if (wanted.CurrentCount == 0)
            {
                wanted.Release();
            }
        }

        private async Task RunAsync()
        {
            try
            {
                while (true)
                {
                    await ReadAsync();
                    firstRead.TrySetResult();
                    Tell();
                    await wanted.WaitAsync(query.Interval ?? reader.options.RefreshInterval, reader.stopping.Token);
                    lock (gate)
                    {
                        if (watchers.Count == 0)
                        {
                            isGone = true;
                            break;
                        }
                    }
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
            {
                // The process ends.
            }
            finally
            {
                lock (gate)
                {
                    isGone = true;
                }

                reader.Forget(this, query);
            }
        }

        // Somebody may have gone while the read waited for its place.
        private bool IsWatched
        {
            get
            {
                lock (gate)
                {
                    return watchers.Count > 0;
                }
            }
        }

        private async Task ReadAsync()
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(reader.stopping.Token);
            limit.CancelAfter(reader.options.ReadTimeout);
            try
            {
                await reader.places.WaitAsync(limit.Token);
                try
                {
                    if (!IsWatched)
                    {
                        return;
                    }

                    await using var scope = reader.scopes.CreateAsyncScope();
                    var value = await query.ReadAsync(scope.ServiceProvider, limit.Token);
                    Current = new Snapshot<TValue>(value, reader.time.GetUtcNow(), null);
                }
                finally
                {
                    reader.places.Release();
                }
            }
            catch (Exception exception) when (!reader.stopping.IsCancellationRequested)
            {
                // The last value stays, with its age.
                if (Current.Failure is null)
                {
                    LiveLog.NotRead(reader.logger, query.GetType().Name, LoggedText.Of(exception.GetBaseException().Message));
                }

                Current = Current with { Failure = query.Failure };
            }
        }

        private void Tell()
        {
            Action[] told;
            lock (gate)
            {
                told = [.. watchers];
            }

            foreach (var watcher in told)
            {
                try
                {
                    watcher();
                }
                catch (Exception exception)
                {
                    // The others, and the reader, go on.
                    LiveLog.NotTold(reader.logger, query.GetType().Name, exception);
                }
            }
        }
    }
}

/// <summary>What can be read again and again. Equal queries have the same answer.</summary>
internal interface ILiveQuery<TValue>
    where TValue : class
{
    /// <summary>What people read when it could not be read.</summary>
    string Failure => "The database does not answer.";

    /// <summary>How often it is read; null: as <see cref="DashboardOptions.RefreshInterval"/> says.</summary>
    TimeSpan? Interval => null;

    /// <summary>Reads the value, in a scope of its own.</summary>
    Task<TValue> ReadAsync(IServiceProvider scope, CancellationToken cancellationToken);
}

/// <summary>The last value that was read.</summary>
/// <param name="Value">The value; null before the first read.</param>
/// <param name="ReadAt">When it was read.</param>
/// <param name="Failure">Why the latest read failed; null when it did not.</param>
internal sealed record Snapshot<TValue>(TValue? Value, DateTimeOffset? ReadAt, string? Failure)
    where TValue : class;

internal static partial class LiveLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "{Query} could not be read; it is tried again: {Reason}")]
    public static partial void NotRead(ILogger logger, string query, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "A page could not be told of {Query}.")]
    public static partial void NotTold(ILogger logger, string query, Exception exception);
}

using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// The share of the pool that files may use. However many files are transferred at once, the others of the pool stay free for short requests:
/// a piece of work waits here for its turn, before it asks the pool for a connection.
/// </summary>
internal sealed class FileConnections : IDisposable
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    private readonly IServiceScopeFactory scopes;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim share;

    public FileConnections(
        IServiceScopeFactory scopes,
        IOptions<FileStoreOptions> options,
        IOptions<DatabaseOptions> database,
        TimeProvider time
    )
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(database);
        (this.scopes, this.time) = (scopes, time);
        share = new SemaphoreSlim(options.Value.ShareOf(database.Value.MaxPoolSize));
    }

    /// <summary>
    /// Runs work on a connection of the share. After an error that will pass (<see cref="IDialect.IsTransient"/>) it runs again, on another
    /// context, until it has tried for longer than <paramref name="patience"/>.
    /// </summary>
    /// <param name="work">The work; it must be able to run again, also after a commit whose answer was lost.</param>
    /// <param name="patience">Zero: one try.</param>
    /// <param name="cancellationToken">Ends the waits and, through the work, the statements.</param>
    public async Task<T> RunAsync<T>(Func<DbContext, Task<T>> work, TimeSpan patience, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(work);
        var start = time.GetTimestamp();
        var pause = TimeSpan.FromMilliseconds(50);
        while (true)
        {
            try
            {
                return await RunOnceAsync(work, cancellationToken);
            }
            catch (Exception exception)
                when (!cancellationToken.IsCancellationRequested
                    && Dialect.Current.IsTransient(exception)
                    && time.GetElapsedTime(start) < patience
                )
            {
                // Random, so that those that failed together do not all come back together.
                await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), time, cancellationToken);
                pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
            }
        }
    }

    public void Dispose() => share.Dispose();

    private async Task<T> RunOnceAsync<T>(Func<DbContext, Task<T>> work, CancellationToken cancellationToken)
    {
        await share.WaitAsync(cancellationToken);
        try
        {
            await using var scope = scopes.CreateAsyncScope();
            return await work(scope.ServiceProvider.GetRequiredService<EngineContext>().Db);
        }
        finally
        {
            share.Release();
        }
    }
}

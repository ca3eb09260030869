using System.Threading.Channels;

namespace Platform.Services;

/// <summary>The queue in memory: work that the endpoint leaves for after its answer.</summary>
internal sealed class BackgroundWork
{
    private readonly Channel<Func<CancellationToken, Task>> queue = Channel.CreateUnbounded<Func<CancellationToken, Task>>();

    public void Enqueue(Func<CancellationToken, Task> work) => queue.Writer.TryWrite(work);

    public IAsyncEnumerable<Func<CancellationToken, Task>> ReadAllAsync(CancellationToken cancellationToken) =>
        queue.Reader.ReadAllAsync(cancellationToken);
}

/// <summary>
/// Runs the work in the queue, up to 40 pieces at once. Failed work is counted and dropped, because there is nobody to tell.
/// </summary>
internal sealed class BackgroundWorkers(BackgroundWork queue, WorkCounts counts) : BackgroundService
{
    private const int AtOnce = 40;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Parallel.ForEachAsync(
            queue.ReadAllAsync(stoppingToken),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stoppingToken },
            async (work, cancellationToken) =>
            {
                try
                {
                    await work(cancellationToken);
                    counts.Completed();
                }
                catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
                {
                    counts.Failed(exception);
                }
            }
        );
}

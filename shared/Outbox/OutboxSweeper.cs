using Microsoft.Extensions.Logging;

namespace Platform.Outbox;

/// <summary>
/// Claims messages that nobody is sending: no lease owner, or a lease that ended. Any instance may; rows under claim elsewhere are
/// skipped, not waited for. Also reclaims the space of deleted rows, because a busy outbox outruns the database's own schedule.
/// </summary>
internal sealed partial class OutboxSweeper(OutboxRelay relay, IOutboxStore store, OutboxOptions options, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan VacuumInterval = TimeSpan.FromSeconds(15);

    private long lastVacuum = time.GetTimestamp();

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(options.SweepInterval, time);
        try
        {
            do
            {
                try
                {
                    await SweepAsync(cancellationToken);
                    await VacuumAsync(cancellationToken);
                }
                catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
                {
                    SweepFailed(logger, exception);
                }
            }
            while (await timer.WaitForNextTickAsync(cancellationToken));
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        // One message finds out as well as many whether the broker is back.
        var claimed = await ClaimAsync(relay.BrokerUnavailable ? 1 : options.BatchSize, cancellationToken);
        while (claimed.Count > 0)
        {
            // The next batch is claimed while this one is sent.
            var delivering = relay.DeliverAsync(claimed);
            var claiming = relay.BrokerUnavailable || cancellationToken.IsCancellationRequested
                ? Task.FromResult<IReadOnlyList<Delivery>>([])
                : ClaimAsync(options.BatchSize, cancellationToken);
            await Task.WhenAll(delivering, claiming);
            claimed = await claiming;
        }
    }

    private async Task<IReadOnlyList<Delivery>> ClaimAsync(int limit, CancellationToken cancellationToken)
    {
        var leasedAt = time.GetTimestamp();
        var messages = await store.ClaimAsync(relay.Id, limit, cancellationToken);
        return [.. messages.Select(m => new Delivery(m, leasedAt))];
    }

    private async Task VacuumAsync(CancellationToken cancellationToken)
    {
        if (time.GetElapsedTime(lastVacuum) >= VacuumInterval)
        {
            lastVacuum = time.GetTimestamp();
            await store.VacuumAsync(cancellationToken);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A sweep of the outbox failed; the next one follows.")]
    private static partial void SweepFailed(ILogger logger, Exception exception);
}

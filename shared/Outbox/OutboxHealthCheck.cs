using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Platform.Outbox;

/// <summary>
/// Is degraded while the relay of this process has found no channel to the broker for 30 s, whatever the bus says of itself: what the process
/// publishes waits in the outbox then.
/// </summary>
internal sealed class OutboxHealthCheck(OutboxRelay relay) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            relay.BrokerAwayFor < Patience
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Degraded($"The relay has found no channel to the broker for {relay.BrokerAwayFor.TotalSeconds:N0} s.")
        );
}

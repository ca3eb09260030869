using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Platform.HeavyTasks;

/// <summary>
/// Fails when all slots of a kind are held by handlers that do not stop. Nothing but a restart helps then: the worker would take no task of
/// that kind any more. It is part of <c>/health/live</c>, on which an orchestrator restarts a process.
/// </summary>
internal sealed class StuckSlotsCheck(HeavyTaskSlots slots) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var stuck = string.Join(", ", slots.StuckKinds);
        return Task.FromResult(
            stuck.Length == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy($"Every slot of {stuck} is stuck.")
        );
    }
}

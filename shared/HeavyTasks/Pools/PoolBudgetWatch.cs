using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>
/// Checks the budget every half minute. Before the budget is spent, it warns in the log and makes <c>/health/ready</c> report degraded.
/// </summary>
internal sealed partial class PoolBudgetWatch(IServiceScopeFactory scopes, TimeProvider time, ILogger<PoolBudgetWatch> logger)
    : PollingLoop(TimeSpan.FromSeconds(30), time, logger),
        IHealthCheck
{
    private volatile PoolBudget? last;

    /// <inheritdoc />
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            last is { IsNearlySpent: true } budget
                ? HealthCheckResult.Degraded($"The pools may open {budget.Claimed} of {budget.Available} connections.")
                : HealthCheckResult.Healthy()
        );

    /// <summary>Checks the budget now.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var budget = await PoolBudget.ReadAsync(scope.ServiceProvider.GetRequiredService<EngineContext>().Db, cancellationToken);
        if (budget.IsNearlySpent && last is not { IsNearlySpent: true })
        {
            NearlySpent(logger, budget.Claimed, budget.Available, budget.Max, budget.Reserved);
        }

        last = budget;
    }

    /// <inheritdoc />
    protected override Task RunRoundAsync(CancellationToken stoppingToken) => LookAsync(stoppingToken);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The pools of all living instances may open {Claimed} connections of {Available} (max_connections {Max} less {Reserved} reserved). Lower Database:MaxPoolSize or the number of instances, or raise max_connections, before some of them are refused."
    )]
    private static partial void NearlySpent(ILogger logger, int claimed, int available, int max, int reserved);
}

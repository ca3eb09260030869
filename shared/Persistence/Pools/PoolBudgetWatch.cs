using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Platform.Persistence;

/// <summary>Looks at the budget every half minute; warns in the log, and <c>/health/ready</c> says degraded, before it is spent.</summary>
public sealed partial class PoolBudgetWatch(IServiceScopeFactory scopes, TimeProvider time, ILogger<PoolBudgetWatch> logger) : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private volatile PoolBudget? last;

    /// <inheritdoc />
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(last is { IsNearlySpent: true } budget
            ? HealthCheckResult.Degraded($"The pools may open {budget.Claimed} of {budget.Available} connections.")
            : HealthCheckResult.Healthy());

    /// <summary>Looks now.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var budget = await PoolBudget.ReadAsync(scope.ServiceProvider.GetRequiredService<PlatformDbContext>(), cancellationToken);
        if (budget.IsNearlySpent && last is not { IsNearlySpent: true })
        {
            NearlySpent(logger, budget.Claimed, budget.Available, budget.Max, budget.Reserved);
        }

        last = budget;
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                await LookAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                NotRead(logger, exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The pools of all living instances may open {Claimed} connections of {Available} (max_connections {Max} less {Reserved} reserved). Lower Database:MaxPoolSize or the number of instances, or raise max_connections, before some of them are refused.")]
    private static partial void NearlySpent(ILogger logger, int claimed, int available, int max, int reserved);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The budget of connections could not be read; the next look follows.")]
    private static partial void NotRead(ILogger logger, Exception exception);
}

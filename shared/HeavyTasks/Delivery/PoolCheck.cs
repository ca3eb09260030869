using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>Checks, before anything starts, that the pool has enough connections for the slots.</summary>
internal sealed partial class PoolCheck(
    HandledKinds kinds,
    IOptions<HeavyTaskOptions> options,
    IOptions<DatabaseOptions> database,
    ILogger<PoolCheck> logger
) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        if (options.Value.PoolCheck != PoolCheckMode.Off && Describe(kinds, options.Value, database.Value) is { } problem)
        {
            if (options.Value.PoolCheck == PoolCheckMode.Error)
            {
                throw new PoolTooSmallException(problem);
            }

            TooSmall(logger, problem);
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Describes the sum and what to change; null when the pool is large enough.</summary>
    internal static string? Describe(HandledKinds kinds, HeavyTaskOptions options, DatabaseOptions database)
    {
        var terms = kinds
            .All.OrderBy(k => k.Name, StringComparer.Ordinal)
            .Select(kind => (kind.Name, Limits: options.Of(kind.Name)))
            .ToList();
        var needed = terms.Sum(t => t.Limits.Concurrency * t.Limits.ConnectionsPerTask) + options.ReservedConnections;
        if (needed <= database.MaxPoolSize)
        {
            return null;
        }

        var sum = string.Join(" + ", terms.Select(t => $"{t.Name}: {t.Limits.Concurrency} x {t.Limits.ConnectionsPerTask}"));
        return $"The pool is too small for the tasks that may run at once: {sum} + {options.ReservedConnections} reserved = {needed} connections, "
            + $"but Database:MaxPoolSize is {database.MaxPoolSize}. Raise Database:MaxPoolSize to {needed}, lower HeavyTasks:Kinds:<kind>:Concurrency, "
            + "or set HeavyTasks:PoolCheck to Warn or Off to let tasks wait for connections.";
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}")]
    private static partial void TooSmall(ILogger logger, string problem);
}

/// <summary>Thrown when the worker refuses to start because its pool is too small for its slots.</summary>
internal sealed class PoolTooSmallException(string message) : Exception(message);

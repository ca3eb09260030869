using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks;

/// <summary>
/// Tries a transaction again after the server ended it in favour of another, because of a deadlock or because it waited for a lock longer
/// than the server allows (<see cref="IDialect.IsConflict"/>). It tries at most five times and for less than ten seconds, with a short
/// pause before each new try. A transaction that fails must roll back what it did: when one has waited too long, MySQL undoes only its last
/// statement.
/// </summary>
internal static class Deadlocks
{
    private const int MaxTries = 5;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Runs a transaction until it succeeds, fails for another reason, or has failed too often.</summary>
    /// <param name="transaction">The transaction; it must be able to run again.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the pause between two tries.</param>
    public static async Task<T> RetryAsync<T>(Func<Task<T>> transaction, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        ArgumentNullException.ThrowIfNull(time);
        var start = time.GetTimestamp();
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await transaction();
            }
            catch (Exception exception)
                when (tries < MaxTries && Dialect.Current.IsConflict(exception) && time.GetElapsedTime(start) < Patience)
            {
                // The pause is random, so that transactions that collided do not all come back at the same moment.
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 20 << tries)), time, cancellationToken);
            }
        }
    }

    /// <summary>
    /// Does the same with a new scope for each try. For transactions that publish: after a failure the context still holds their messages.
    /// </summary>
    public static Task<T> RetryAsync<T>(
        IServiceScopeFactory scopes,
        Func<IServiceProvider, Task<T>> transaction,
        TimeProvider time,
        CancellationToken cancellationToken
    ) =>
        RetryAsync(
            async () =>
            {
                await using var scope = scopes.CreateAsyncScope();
                return await transaction(scope.ServiceProvider);
            },
            time,
            cancellationToken
        );
}

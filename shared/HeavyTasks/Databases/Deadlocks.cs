using Microsoft.Extensions.DependencyInjection;

namespace Platform.HeavyTasks;

/// <summary>
/// Tries a transaction again that the server ended in favour of another: because of a deadlock, or because it waited for a lock longer
/// than the server allows (<see cref="DatabaseProvider.IsDeadlock"/>). At most five times, while less than ten seconds have passed, after
/// a short pause. What is tried must roll back what it did when it fails: MySQL undoes only one statement of a transaction that waited
/// too long.
/// </summary>
internal static class Deadlocks
{
    private const int MaxTries = 5;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Runs a transaction until it is through, or fails for another reason, or too often.</summary>
    /// <param name="transaction">The transaction; must be able to run again.</param>
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
                when (tries < MaxTries && DatabaseProvider.IsDeadlock(exception) && time.GetElapsedTime(start) < Patience)
            {
                // Not all of those that met here may come back at the same moment.
                await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1, 20 << tries)), time, cancellationToken);
            }
        }
    }

    /// <summary>
    /// The same in a new scope for each try. For transactions that publish: a context whose transaction failed still holds their messages.
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

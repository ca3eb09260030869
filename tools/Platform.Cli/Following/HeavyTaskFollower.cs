using Platform.Cli.Api;

namespace Platform.Cli.Following;

/// <summary>Reads a task's state again and again until it is final. Never changes the task.</summary>
internal sealed class HeavyTaskFollower(PlatformClient client, TimeProvider clock)
{
    /// <summary>How long the API may be away. A restart of the API takes seconds; a longer outage needs people.</summary>
    public static readonly TimeSpan MaxOutage = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan shortestDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan longestDelay = TimeSpan.FromSeconds(1);

    /// <summary>Follows one task to its end.</summary>
    /// <param name="id">The id of the task.</param>
    /// <param name="view">Shows every answer.</param>
    /// <param name="isReachable">
    /// Whether the API has just answered. If not, the first failure is final: an address that never worked is a mistake, not an outage.
    /// </param>
    /// <param name="cancellationToken">Stops following; the task goes on.</param>
    /// <returns>The final state.</returns>
    /// <exception cref="ApiUnavailableException">The API gave no answer for <see cref="MaxOutage"/>.</exception>
    public async Task<Answer<HeavyTask>> RunAsync(Guid id, IFollowView view, bool isReachable, CancellationToken cancellationToken)
    {
        var delay = shortestDelay;
        long? outage = null;
        HeavyTask? last = null;
        while (true)
        {
            var asked = clock.GetTimestamp();
            try
            {
                var answer = await client.PollAsync(id, cancellationToken);
                view.Show(answer.Value);
                if (answer.Value.IsFinished)
                {
                    return answer;
                }

                (isReachable, outage) = (true, null);
                // After a change of stage, ask more often. Progress alone is no reason, because it changes all the time.
                delay = IsSameStage(last, answer.Value) ? Longer(delay) : shortestDelay;
                last = answer.Value;
            }
            catch (ApiUnavailableException e) when (isReachable && clock.GetElapsedTime(outage ??= asked) < MaxOutage)
            {
                view.ShowOutage(e.Message);
                delay = Longer(delay);
            }

            await Task.Delay(delay, clock, cancellationToken);
        }
    }

    private static bool IsSameStage(HeavyTask? last, HeavyTask now) => last?.Status == now.Status && last.Attempt == now.Attempt;

    private static TimeSpan Longer(TimeSpan delay) => delay * 1.5 < longestDelay ? delay * 1.5 : longestDelay;
}

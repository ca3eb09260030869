using Platform.Cli.Api;

namespace Platform.Cli.Following;

/// <summary>Asks for a task's state until it is final. Never changes the task.</summary>
internal sealed class HeavyTaskFollower(PlatformClient client, TimeProvider clock)
{
    /// <summary>A restart of the API takes seconds; what is down longer than this needs people.</summary>
    public static readonly TimeSpan MaxOutage = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan shortestDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan longestDelay = TimeSpan.FromSeconds(1);

    /// <summary>Follows one task to its end.</summary>
    /// <param name="id">The task.</param>
    /// <param name="view">Is told every answer.</param>
    /// <param name="isReachable">
    /// Whether the API answered just now. If not, a first failure is final: an address that never worked is a mistake, not an outage.
    /// </param>
    /// <param name="cancellationToken">Stops following; the task goes on.</param>
    /// <returns>The final state.</returns>
    /// <exception cref="ApiUnavailableException">No answer for <see cref="MaxOutage"/>.</exception>
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
                // Something happens: look closer. Progress alone is no reason, it changes all the time.
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

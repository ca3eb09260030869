using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli.Following;

/// <summary>Follows a task on behalf of a command: shows progress, prints the outcome, and returns the exit code.</summary>
internal static class TaskFollowing
{
    /// <inheritdoc cref="HeavyTaskFollower.RunAsync"/>
    /// <returns><see cref="ExitCode.Ok"/> or <see cref="ExitCode.TaskNotSucceeded"/>.</returns>
    public static async Task<int> RunAsync(CliSession session, Guid id, bool isReachable, CancellationToken cancellationToken)
    {
        var answer = await FollowAsync(session, id, isReachable, cancellationToken);
        session.Write(answer, task => HeavyTaskText.WriteOutcome(session.Terminal, task));
        return answer.Value.HasSucceeded ? ExitCode.Ok : ExitCode.TaskNotSucceeded;
    }

    /// <inheritdoc cref="HeavyTaskFollower.RunAsync"/>
    public static async Task<Answer<HeavyTask>> FollowAsync(
        CliSession session,
        Guid id,
        bool isReachable,
        CancellationToken cancellationToken
    )
    {
        var follower = new HeavyTaskFollower(session.Client, session.Host.Clock);
        try
        {
            return session.Terminal.IsInteractive
                ? await LiveFollowView.RunAsync(session.Terminal, view => follower.RunAsync(id, view, isReachable, cancellationToken))
                : await follower.RunAsync(id, new PlainFollowView(session.Terminal, session.Host.Clock), isReachable, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            session.Terminal.WriteErrorLine($"Stopped following; the task is not affected. Go on with: platform follow {id}");
            throw;
        }
    }
}

using Platform.Cli.Terminal;

namespace Platform.Cli.Following;

/// <summary>Following as a command does it: shows the way, prints the end, tells the exit code.</summary>
internal static class TaskFollowing
{
    /// <inheritdoc cref="HeavyTaskFollower.RunAsync"/>
    /// <returns><see cref="ExitCode.Ok"/> or <see cref="ExitCode.TaskNotSucceeded"/>.</returns>
    public static async Task<int> RunAsync(CliSession session, Guid id, bool isReachable, CancellationToken cancellationToken)
    {
        var follower = new HeavyTaskFollower(session.Client, session.Host.Clock);
        try
        {
            var answer = session.Terminal.IsInteractive
                ? await LiveFollowView.RunAsync(session.Terminal, view => follower.RunAsync(id, view, isReachable, cancellationToken))
                : await follower.RunAsync(id, new PlainFollowView(session.Terminal, session.Host.Clock), isReachable, cancellationToken);
            session.Write(answer, task => HeavyTaskText.WriteOutcome(session.Terminal, task));
            return answer.Value.HasSucceeded ? ExitCode.Ok : ExitCode.TaskNotSucceeded;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            session.Terminal.WriteErrorLine($"No longer following; the task is not affected. Go on with: platform follow {id}");
            throw;
        }
    }
}

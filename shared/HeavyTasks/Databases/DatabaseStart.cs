using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>
/// Repeats what a process asks the database while it starts, for <see cref="DatabaseOptions.StartTimeout"/>: a server that is just starting
/// itself, or a busy machine, must not end the process.
/// </summary>
internal sealed partial class DatabaseStart(IOptions<DatabaseOptions> options, TimeProvider time, ILogger<DatabaseStart> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly long startedAt = time.GetTimestamp();

    /// <summary>Runs a step of the start until it succeeds, or fails for another reason than that the server is busy or away.</summary>
    public async Task RunAsync(Func<Task> step, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await step();
                return;
            }
            catch (Exception exception)
                when (Dialect.Current.IsTransient(exception) && time.GetElapsedTime(startedAt) < options.Value.StartTimeout)
            {
                Waiting(logger, options.Value.StartTimeout.TotalSeconds, exception.Message);
                await Task.Delay(Pause, time, cancellationToken);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The database does not answer yet; it is asked for {Seconds} s in all. {Error}")]
    private static partial void Waiting(ILogger logger, double seconds, string error);
}

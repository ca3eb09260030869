using Platform.Cli.Api;

namespace Platform.Cli.Demo;

/// <summary>
/// Thrown when a task that the rest of the demo needs failed or was cancelled. The exit code is <see cref="ExitCode.TaskNotSucceeded"/>.
/// </summary>
internal sealed class TaskNotSucceededException(string kind, HeavyTask task)
    : Exception($"{kind} (task {task.Id}) is {task.Status}{(task.Error is { Length: > 0 } error ? $": {error}" : ".")}");

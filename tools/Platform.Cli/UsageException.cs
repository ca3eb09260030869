namespace Platform.Cli;

/// <summary>
/// Thrown for a bad argument, or a local file that cannot be read or written. The exit code is <see cref="ExitCode.Usage"/>.
/// </summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);

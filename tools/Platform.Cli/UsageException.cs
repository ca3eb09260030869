namespace Platform.Cli;

/// <summary>A bad argument, or a local file that cannot be read or written. Ends with <see cref="ExitCode.Usage"/>.</summary>
internal sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);

using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Platform.Support;

/// <summary>Records what a process under test logs. Register it as an <see cref="ILoggerProvider"/>.</summary>
public sealed class RecordedLog : ILoggerProvider
{
    private readonly ConcurrentQueue<Entry> entries = new();

    /// <summary>The entries of a category, such as the full name of a class, in order.</summary>
    public IReadOnlyList<Entry> Of(string category, LogLevel level) =>
        [.. entries.Where(e => e.Level == level && e.Category.EndsWith(category, StringComparison.Ordinal))];

    /// <inheritdoc />
    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    /// <inheritdoc />
    public void Dispose() { }

    /// <summary>One entry.</summary>
    /// <param name="Category">Who logged it.</param>
    /// <param name="Level">Its level.</param>
    /// <param name="Text">The complete text.</param>
    /// <param name="Values">The values in the text, by name.</param>
    public sealed record Entry(string Category, LogLevel Level, string Text, IReadOnlyDictionary<string, object?> Values);

    private sealed class Logger(RecordedLog log, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            var values = state as IEnumerable<KeyValuePair<string, object?>> ?? [];
            log.entries.Enqueue(
                new Entry(
                    category,
                    logLevel,
                    formatter(state, exception),
                    values.GroupBy(v => v.Key).ToDictionary(v => v.Key, v => v.Last().Value)
                )
            );
        }
    }
}

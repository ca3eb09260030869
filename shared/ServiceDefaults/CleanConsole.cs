using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Platform.HeavyTasks;

namespace Platform.ServiceDefaults;

/// <summary>
/// The console's ordinary format (<c>simple</c>, with its options), in which no text can do harm: whatever a library logs of what a client
/// sent is cut, and characters that a terminal obeys are escaped. The JSON format escapes them itself.
/// </summary>
public static class CleanConsole
{
    /// <summary>The name of the format.</summary>
    public const string FormatterName = "platform";

    /// <summary>The most characters of a message, and of an exception, that are written.</summary>
    private const int MaxLength = 16 * 1024;

    /// <summary>Uses this format in place of <c>simple</c>, which is the default; another one that was chosen stays.</summary>
    public static ILoggingBuilder AddCleanConsole(this ILoggingBuilder logging)
    {
        ArgumentNullException.ThrowIfNull(logging);
        logging.AddConsole();
        logging.AddConsoleFormatter<Formatter, ConsoleFormatterOptions>();
        logging.Services.Configure<ConsoleLoggerOptions>(options =>
        {
            if (
                string.IsNullOrEmpty(options.FormatterName)
                || options.FormatterName.Equals(ConsoleFormatterNames.Simple, StringComparison.OrdinalIgnoreCase)
            )
            {
                options.FormatterName = FormatterName;
            }
        });
        return logging;
    }

    private sealed class Formatter(IServiceProvider services) : ConsoleFormatter(FormatterName)
    {
        // Not in the constructor: all formatters are made together.
        private readonly Lazy<ConsoleFormatter> simple = new(() =>
            services.GetServices<ConsoleFormatter>().Single(formatter => formatter.Name == ConsoleFormatterNames.Simple)
        );

        public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
        {
            var text = LoggedText.Lines(logEntry.Formatter(logEntry.State, logEntry.Exception) ?? "", MaxLength);
            if (logEntry.Exception is { } exception)
            {
                text = $"{text}{Environment.NewLine}{LoggedText.Lines($"{exception}", MaxLength)}";
            }

            var clean = new LogEntry<string>(logEntry.LogLevel, logEntry.Category, logEntry.EventId, text, null, (state, _) => state);
            simple.Value.Write(clean, scopeProvider, textWriter);
        }
    }
}

using Spectre.Console;

namespace Platform.Cli.Terminal;

/// <summary>Shows the progress of a file transfer, if somebody watches.</summary>
internal static class TransferBar
{
    /// <summary>The number of updates, fewer than there are blocks, because the shown speed is an average over the last updates.</summary>
    private const int UpdatesPerTransfer = 400;

    /// <summary>Runs a transfer and shows a progress bar on standard error; without a terminal only runs it.</summary>
    /// <param name="terminal">Where to draw.</param>
    /// <param name="label">The name of what is transferred.</param>
    /// <param name="total">The number of bytes in all; null when unknown.</param>
    /// <param name="transfer">Does the transfer, and calls its argument with the bytes moved so far.</param>
    /// <param name="isBytes">False when the units are something else, such as rows.</param>
    public static async Task<T> RunAsync<T>(
        CliTerminal terminal,
        string label,
        long? total,
        Func<Action<long>, Task<T>> transfer,
        bool isBytes = true
    )
    {
        if (!terminal.IsInteractive)
        {
            return await transfer(static _ => { });
        }

        var name = new TaskDescriptionColumn { Alignment = Justify.Left };
        ProgressColumn[] columns = (total, isBytes) switch
        {
            (null, _) => [name, new ProgressBarColumn(), new TransferSpeedColumn()],
            (_, false) => [name, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()],
            _ =>
            [
                name,
                new ProgressBarColumn(),
                new PercentageColumn(),
                new DownloadedColumn(),
                new TransferSpeedColumn(),
                new RemainingTimeColumn(),
            ],
        };
        return await terminal
            .Error.Progress()
            .AutoClear(false)
            .Columns(columns)
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask(CliTerminal.Markup(label), maxValue: Math.Max(total ?? long.MaxValue, 1));
                bar.IsIndeterminate = total is null;
                var step = (total ?? 0) / UpdatesPerTransfer;
                var shown = 0L;
                var value = await transfer(bytes =>
                {
                    if (bytes - shown >= step)
                    {
                        bar.Value = shown = bytes;
                    }
                });
                bar.IsIndeterminate = false;
                bar.Value = bar.MaxValue;
                return value;
            });
    }
}

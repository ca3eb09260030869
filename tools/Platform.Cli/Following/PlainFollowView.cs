using Platform.Cli.Api;
using Platform.Cli.Terminal;

namespace Platform.Cli.Following;

/// <summary>Writes one line for every change, for logs.</summary>
internal sealed class PlainFollowView(CliTerminal terminal, TimeProvider clock) : IFollowView
{
    private string last = "";
    private bool isOutage;

    public void Show(HeavyTask task)
    {
        var line = $"{FollowStage.Describe(task)}  {Figures.Progress(task.Progress)}".TrimEnd();
        if (line != last || isOutage)
        {
            Write(line);
        }

        (last, isOutage) = (line, false);
    }

    public void ShowOutage(string reason)
    {
        if (!isOutage)
        {
            Write($"{reason} Trying again for {HeavyTaskFollower.MaxOutage.TotalSeconds:0} s.");
        }

        isOutage = true;
    }

    private void Write(string line) => terminal.WriteErrorLine($"{Figures.Time(clock.GetUtcNow())}  {line}");
}

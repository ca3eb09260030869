using Platform.Cli.Api;
using Platform.Cli.Terminal;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Platform.Cli.Following;

/// <summary>Shows a progress bar on standard error that is redrawn in place.</summary>
internal sealed class LiveFollowView : IFollowView
{
    private const int MaxTextLength = 60;

    private readonly ProgressTask bar;
    private readonly TextColumn stage;
    private readonly TextColumn figures;

    private LiveFollowView(ProgressTask bar, TextColumn stage, TextColumn figures)
    {
        this.bar = bar;
        this.stage = stage;
        this.figures = figures;
        bar.IsIndeterminate = true;
    }

    /// <summary>Draws while <paramref name="follow"/> runs.</summary>
    public static Task<T> RunAsync<T>(CliTerminal terminal, Func<IFollowView, Task<T>> follow)
    {
        var stageColumn = new TextColumn();
        var figuresColumn = new TextColumn();
        return terminal
            .Error.Progress()
            .AutoClear(false)
            .Columns(new SpinnerColumn(), stageColumn, new ProgressBarColumn(), figuresColumn, new ElapsedTimeColumn())
            .StartAsync(progress => follow(new LiveFollowView(progress.AddTask("task"), stageColumn, figuresColumn)));
    }

    public void Show(HeavyTask task)
    {
        stage.Text = Shorten(FollowStage.Describe(task));
        figures.Text = Shorten(Figures.Progress(task.Progress));
        // A moving bar means that the task is working and no total is known; a still bar means that it waits or is done.
        bar.IsIndeterminate = task is { Status: "Running", Progress: null or { Total: null or 0 } };
        bar.MaxValue = Math.Max(task.Progress?.Total ?? 1, 1);
        bar.Value = task.HasSucceeded ? bar.MaxValue : Math.Max(task.Progress?.Done ?? 0, 0);
        if (task.IsFinished)
        {
            bar.StopTask();
        }
    }

    public void ShowOutage(string reason) => stage.Text = Shorten(reason);

    private static string Shorten(string text) => text.Length <= MaxTextLength ? text : $"{text[..(MaxTextLength - 1)]}…";

    /// <summary>Text that is never read as markup.</summary>
    private sealed class TextColumn : ProgressColumn
    {
        private volatile string text = "";

        public string Text
        {
            set => text = value;
        }

        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(TerminalText.Line(text));
    }
}

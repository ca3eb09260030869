using System.Globalization;

namespace Platform.Cli.Demo;

/// <summary>Reports each step and how long it took; on standard error when a program reads standard output.</summary>
internal sealed class DemoSteps(CliSession session)
{
    private long started = session.Host.Clock.GetTimestamp();

    public void Done(string what)
    {
        var now = session.Host.Clock.GetTimestamp();
        var seconds = session.Host.Clock.GetElapsedTime(started, now).TotalSeconds;
        started = now;
        var line = string.Create(CultureInfo.InvariantCulture, $"{seconds, 8:0.0} s  {what}");
        if (session.IsJson)
        {
            session.Terminal.WriteErrorLine(line);
        }
        else
        {
            session.Terminal.WriteLine(line);
        }
    }
}

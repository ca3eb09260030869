using System.Text;

namespace Platform.Cli.Tests.Support;

/// <summary>Watches text being written, and completes when an expected part has been written.</summary>
internal sealed class LineAwaiter(string expected)
{
    private readonly TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StringBuilder text = new();

    public Task Seen => seen.Task;

    public void Write(string? part)
    {
        if (text.Append(part).ToString().Contains(expected, StringComparison.Ordinal))
        {
            seen.TrySetResult();
        }
    }
}

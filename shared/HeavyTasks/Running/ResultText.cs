using System.Text;

namespace Platform.HeavyTasks;

/// <summary>
/// Appends text to the result file as UTF-8 without a byte order mark. The file hands over what is buffered here at every checkpoint and at
/// the end, so nothing depends on the handler's flushing or disposing it.
/// </summary>
internal sealed class ResultText(AttemptResultFile file) : TextWriter(System.Globalization.CultureInfo.InvariantCulture)
{
    // Above this number of characters, an asynchronous write hands the text over.
    private const int Enough = 32 * 1024;

    // Synchronous writes cannot hand anything over.
    private const int Most = 16 * 1024 * 1024;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly StringBuilder pending = new();

    public override Encoding Encoding => Utf8;

    public override void Write(char value) => Append([value]);

    public override void Write(char[] buffer, int index, int count) => Append(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Append(buffer);

    public override void Write(string? value) => Append(value);

    public override Task WriteAsync(char value)
    {
        Append([value]);
        return HandOverAsync(default);
    }

    public override Task WriteAsync(string? value)
    {
        Append(value);
        return HandOverAsync(default);
    }

    public override Task WriteAsync(char[] buffer, int index, int count)
    {
        Append(buffer.AsSpan(index, count));
        return HandOverAsync(default);
    }

    public override Task WriteAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken = default)
    {
        Append(buffer.Span);
        return HandOverAsync(cancellationToken);
    }

    public override Task WriteLineAsync(char value)
    {
        Append([value]);
        Append(CoreNewLine);
        return HandOverAsync(default);
    }

    public override Task WriteLineAsync(string? value)
    {
        Append(value);
        Append(CoreNewLine);
        return HandOverAsync(default);
    }

    public override Task WriteLineAsync(char[] buffer, int index, int count)
    {
        Append(buffer.AsSpan(index, count));
        Append(CoreNewLine);
        return HandOverAsync(default);
    }

    public override Task WriteLineAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken = default)
    {
        Append(buffer.Span);
        Append(CoreNewLine);
        return HandOverAsync(cancellationToken);
    }

    public override Task WriteLineAsync()
    {
        Append(CoreNewLine);
        return HandOverAsync(default);
    }

    public override void Flush() { }

    public override Task FlushAsync() => DrainAsync(CancellationToken.None);

    public override Task FlushAsync(CancellationToken cancellationToken) => DrainAsync(cancellationToken);

    /// <summary>Appends everything that is buffered to the file.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        if (pending.Length == 0)
        {
            return;
        }

        var bytes = Utf8.GetBytes(pending.ToString());
        pending.Clear();
        await file.AppendAsync(bytes, cancellationToken);
    }

    private void Append(ReadOnlySpan<char> text)
    {
        file.RefuseInCheckpoint();
        if (pending.Length + text.Length > Most)
        {
            throw new InvalidOperationException(
                $"More than {Most:N0} characters were written to the result file synchronously; use the asynchronous methods."
            );
        }

        pending.Append(text);
    }

    // A surrogate pair must not be cut between two pieces.
    private Task HandOverAsync(CancellationToken cancellationToken) =>
        pending.Length >= Enough && !char.IsHighSurrogate(pending[^1]) ? DrainAsync(cancellationToken) : Task.CompletedTask;
}

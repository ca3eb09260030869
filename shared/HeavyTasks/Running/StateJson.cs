using System.Text;
using System.Text.Json;
using Platform.Contracts;

namespace Platform.HeavyTasks;

/// <summary>Makes JSON of what a handler keeps in its task's row, and stops where it grows too long.</summary>
internal static class StateJson
{
    private const int FirstBufferBytes = 512;

    /// <summary>The state of a checkpoint.</summary>
    public static string OfCheckpoint<TState>(TState state) =>
        Serialize(state, HeavyTask.MaxCheckpointLength, "The state of the checkpoint", "Keep data in tables or in the result file.");

    /// <summary>The result of a task.</summary>
    public static string OfResult<TResult>(TResult result) =>
        Serialize(result, HeavyTask.MaxResultLength, "The result", "Write it to a result file (OpenResultFileAsync).");

    private static string Serialize<T>(T value, int maxLength, string what, string advice)
    {
        using var json = new LimitedStream(maxLength);
        try
        {
            JsonSerializer.Serialize(json, value, HeavyTaskJson.Options);
        }
        catch (IOException exception) when (json.IsTooLong)
        {
            throw new NonRetryableException($"{what} is longer than {maxLength / 1024} KiB as JSON. {advice}", exception);
        }

        return Encoding.UTF8.GetString(json.GetBuffer(), 0, (int)json.Length);
    }

    // What does not fit is not written at all, so that a result of 1 GB does not take its memory a second time.
    private sealed class LimitedStream(int maxLength) : MemoryStream(FirstBufferBytes)
    {
        public bool IsTooLong { get; private set; }

        // A derived MemoryStream sends everything through here, spans too.
        public override void Write(byte[] buffer, int offset, int count)
        {
            if (Length + count > maxLength)
            {
                IsTooLong = true;
                throw new IOException();
            }

            base.Write(buffer, offset, count);
        }
    }
}

namespace Platform.Support;

/// <summary>The system's time, moved forward by hand.</summary>
public sealed class ShiftedTime : TimeProvider
{
    private TimeSpan shift;

    /// <summary>Moves it forward.</summary>
    public void Forward(TimeSpan time) => shift += time;

    /// <inheritdoc />
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + shift;

    /// <inheritdoc />
    public override long GetTimestamp() => base.GetTimestamp() + (long)(shift.TotalSeconds * TimestampFrequency);
}

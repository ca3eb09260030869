namespace Platform.Support;

/// <summary>The system's time, which a test can move forward.</summary>
public sealed class ShiftedTime : TimeProvider
{
    private TimeSpan shift;

    /// <summary>Moves the time forward.</summary>
    public void Forward(TimeSpan time) => shift += time;

    /// <inheritdoc />
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + shift;

    /// <inheritdoc />
    public override long GetTimestamp() => base.GetTimestamp() + (long)(shift.TotalSeconds * TimestampFrequency);
}

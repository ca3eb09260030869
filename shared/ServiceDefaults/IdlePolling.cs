using System.Diagnostics;
using OpenTelemetry;
using Platform.HeavyTasks;

namespace Platform.ServiceDefaults;

/// <summary>
/// Exports no SQL that belongs to no request and no message: loops look into the database several times a second, also where nothing
/// happens, and each look would be a trace of its own. A sampler cannot decide this, because it does not know the source of a span, and it
/// would take the place of <c>OTEL_TRACES_SAMPLER</c>.
/// </summary>
internal sealed class IdlePolling : BaseProcessor<Activity>
{
    /// <inheritdoc />
    public override void OnEnd(Activity data)
    {
        if (data.ParentSpanId == default && data.Source.Name == Dialect.Current.TelemetryName)
        {
            data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }
    }
}

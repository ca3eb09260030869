namespace Platform.HeavyTasks;

/// <summary>The driver's own instruments for its pools.</summary>
/// <param name="Meter">The name of the meter.</param>
/// <param name="Connections">The instrument that counts open connections, by state.</param>
/// <param name="Waiting">The instruments that count waiting callers; their names differ between versions of the driver.</param>
/// <param name="PoolTag">The tag with the pool's name.</param>
/// <param name="StateTag">The tag whose value is <c>used</c> or <c>idle</c>.</param>
internal sealed record PoolInstruments(string Meter, string Connections, IReadOnlyList<string> Waiting, string PoolTag, string StateTag);

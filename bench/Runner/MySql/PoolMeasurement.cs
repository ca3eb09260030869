namespace Platform.Runner.Pools;

/// <summary>Refuses: this is measured on PostgreSQL only.</summary>
internal static class PoolMeasurement
{
    public static Task<int> RunAsync(RunOptions options) =>
        throw new NotSupportedException($"{options.Measurement}: built for MySQL; it is measured on PostgreSQL.");
}

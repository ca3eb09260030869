namespace Platform.Runner.Throughput;

/// <summary>Compares the platform with its bare limits, section by section.</summary>
internal static class ThroughputMeasurement
{
    /// <returns>0 when every section was measured completely.</returns>
    public static async Task<int> RunAsync(RunOptions options)
    {
        await using var report = new Report(options.Out);
        await using var installation = await Subjects.CreateAsync(options);
        var conditions = await Conditions.ReadAsync(installation);
        report.Write(conditions);
        foreach (var section in options.Only)
        {
            try
            {
                await installation.CleanAsync();
                await (
                    section switch
                    {
                        "accept" => AcceptSection.RunAsync(installation, report),
                        "drain" => DrainSection.RunAsync(installation, report),
                        "sustained" => SustainedSection.RunAsync(installation, report),
                        "relay" => RelaySection.RunAsync(installation, report),
                        _ => LatencySection.RunAsync(installation, report),
                    }
                );
            }
            catch (Exception exception)
            {
                // Whatever failed, the other sections can still be measured.
                report.Fail(section, exception);
            }
        }

        await report.WriteTableAsync(
            $"""
            {conditions}
            {options.Rounds} rounds; {options.Connections} HTTP connections; {options.Concurrency} tasks or messages at once; {options.Publishers} publishers; {options.Seconds} s or {options.Tasks:N0} tasks a measurement.
            """
        );
        return report.HasFailures ? 1 : 0;
    }
}

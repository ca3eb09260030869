// Measures the platform beside its bare limits. bench/README.md says what is counted; bench/run-throughput.sh starts it with its servers.
using System.Globalization;
using Platform.ThroughputRunner;

RunOptions options;
try
{
    options = RunOptions.Parse(args);
}
catch (FormatException exception)
{
    Console.Error.WriteLine(exception.Message);
    Console.Error.WriteLine(RunOptions.Usage);
    return 2;
}

CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
await using var report = new Report(options.Out);
await using var installation = await Installation.CreateAsync(options);
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
        // Whatever it was, the others can still be measured.
        report.Fail(section, exception);
    }
}

await report.WriteTableAsync(conditions.ToString());
return report.HasFailures ? 1 : 0;

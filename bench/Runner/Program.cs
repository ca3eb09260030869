// Runs the measurements; bench/README.md says what is counted. The scripts next to that page start this program with its servers.
using System.Globalization;
using Platform.Runner;
using Platform.Runner.Pools;
using Platform.Runner.Throughput;

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
return options.Measurement == RunOptions.Throughput
    ? await ThroughputMeasurement.RunAsync(options)
    : await PoolMeasurement.RunAsync(options);

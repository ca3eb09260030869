using System.Runtime.InteropServices;
using System.Text;
using Platform.Cli;

Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);

// The first signal asks the command to stop. The system's own handling applies to a second one, and to a command that does not stop.
using var stop = new CancellationTokenSource();
var terminated = false;
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var exitCode = await PlatformCli.RunAsync(args, CliHost.FromProcess(), stop.Token);
return exitCode is ExitCode.Interrupted && terminated ? ExitCode.Terminated : exitCode;

void Stop(PosixSignalContext signal)
{
    signal.Cancel = !stop.IsCancellationRequested;
    terminated |= signal.Signal is PosixSignal.SIGTERM;
    stop.Cancel();
}

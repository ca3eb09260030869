using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace Platform.ServiceDefaults;

/// <summary>
/// Keeps the process alive after one known fault of MySqlConnector 2.6.2. When the timeout of a command has passed while its connection was
/// lost, as after a halt of the process, the driver's timer asks a closed socket for its address, and nobody catches the exception
/// (<c>MySqlCommand.CancelCommandForTimeout</c>, <c>ServerSession.IPEndPoint</c>). The command itself ends with an error of its own. But the
/// driver drops its other timeouts that were due at the same moment: a command whose server is silent may then wait for as long as its
/// connection seems alive.
/// </summary>
internal static class DriverFaults
{
    private static int isTolerated;

    /// <summary>Tolerates that fault, and no other, from now on.</summary>
    public static void Tolerate()
    {
        if (Interlocked.Exchange(ref isTolerated, 1) == 0)
        {
            ExceptionHandling.SetUnhandledExceptionHandler(IsKnown);
        }
    }

    /// <summary>Whether an exception that nobody caught is the known one.</summary>
    internal static bool IsKnown(Exception exception) =>
        exception is SocketException or ObjectDisposedException
        && exception.StackTrace?.Contains("MySqlConnector.MySqlCommand.CancelCommandForTimeout", StringComparison.Ordinal) == true;
}

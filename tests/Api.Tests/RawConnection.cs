using System.Net.Sockets;
using System.Text;
using Platform.Support;

namespace Platform.Api.Tests;

/// <summary>A client that can do what no well-behaved client does: stop halfway, or not read its answer.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly Socket socket;

    private RawConnection(Socket socket) => this.socket = socket;

    /// <summary>Connects.</summary>
    /// <param name="server">The server.</param>
    /// <param name="receiveBuffer">How many unread bytes the system takes from the server.</param>
    public static async Task<RawConnection> OpenAsync(Uri server, int receiveBuffer = 64 * 1024)
    {
        var connected = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = receiveBuffer };
        await connected.ConnectAsync(server.Host, server.Port);
        return new RawConnection(connected);
    }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes)..];
        }
    }

    /// <summary>Sends text. A request that names its host as <c>localhost</c> gets the key of the tests.</summary>
    public Task SendAsync(string text) =>
        SendAsync(Encoding.ASCII.GetBytes(text.Replace("Host: localhost\r\n", $"Host: localhost\r\nAuthorization: {TestKey.Header}\r\n")));

    /// <summary>Reads up to and including the empty line after the headers.</summary>
    public async Task<string> ReadHeadersAsync()
    {
        var headers = new StringBuilder();
        var one = new byte[1];
        while (!headers.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && await socket.ReceiveAsync(one) == 1)
        {
            headers.Append((char)one[0]);
        }

        return headers.ToString();
    }

    /// <summary>Reads this many bytes.</summary>
    public async Task<byte[]> ReadAsync(int length)
    {
        var bytes = new byte[length];
        await using var stream = new NetworkStream(socket, ownsSocket: false);
        await stream.ReadExactlyAsync(bytes);
        return bytes;
    }

    /// <summary>Ends the connection as a crash does: with a reset.</summary>
    public void Dispose()
    {
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        socket.Dispose();
    }
}

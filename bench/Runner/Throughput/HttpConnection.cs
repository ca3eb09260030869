using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Platform.Runner.Throughput;

/// <summary>
/// One keep-alive HTTP connection that sends the same prepared request again and again. It does as little as possible, because it shares
/// the machine with what it measures.
/// </summary>
internal sealed class HttpConnection : IDisposable
{
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] buffer = new byte[16 * 1024];

    public static async Task<HttpConnection> OpenAsync(Uri address)
    {
        var connection = new HttpConnection();
        await connection.socket.ConnectAsync(IPAddress.Parse(address.Host), address.Port);
        return connection;
    }

    public static byte[] Request(Uri address, string path, string json) =>
        Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: {address.Authority}\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}"
        );

    /// <summary>Sends a request and reads the whole response.</summary>
    /// <returns>The response as text, head and body, when <paramref name="keep"/> is set.</returns>
    /// <exception cref="InvalidOperationException">The answer was not 202.</exception>
    public async Task<string?> PostAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken, bool keep = false)
    {
        await socket.SendAsync(request, SocketFlags.None, cancellationToken);
        var length = 0;
        while (!IsComplete(buffer.AsSpan(0, length)))
        {
            var read = length < buffer.Length ? await socket.ReceiveAsync(buffer.AsMemory(length), SocketFlags.None, cancellationToken) : 0;
            if (read == 0)
            {
                throw new InvalidOperationException("The connection was closed, or the answer is too long.");
            }

            length += read;
        }

        var response = buffer.AsSpan(0, length);
        if (!response.StartsWith("HTTP/1.1 202 "u8))
        {
            throw new InvalidOperationException($"Not accepted: {Encoding.UTF8.GetString(response)}");
        }

        return keep ? Encoding.UTF8.GetString(response) : null;
    }

    public void Dispose() => socket.Dispose();

    private static bool IsComplete(ReadOnlySpan<byte> response)
    {
        var headEnd = response.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
        {
            return false;
        }

        var head = response[..(headEnd + 2)];
        var contentLength = head.IndexOf("\r\nContent-Length: "u8);
        if (contentLength >= 0)
        {
            return Utf8Parser.TryParse(head[(contentLength + 18)..], out int bodyLength, out _)
                && response.Length >= headEnd + 4 + bodyLength;
        }

        return head.IndexOf("\r\nTransfer-Encoding: chunked"u8) >= 0 ? response.EndsWith("\r\n0\r\n\r\n"u8) : true;
    }
}

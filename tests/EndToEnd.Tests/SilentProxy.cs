using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Platform.EndToEnd.Tests;

/// <summary>
/// Stands between a client and the broker, and swallows the first request of a kind (AMQP 0-9-1 class and method): the broker
/// never answers it, while all else goes on.
/// </summary>
internal sealed class SilentProxy : IAsyncDisposable
{
    private const int ProtocolHeaderLength = 8;
    private const int FrameHeaderLength = 7;
    private const byte MethodFrame = 1;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly Uri broker;
    private readonly (short Class, short Method) swallowed;
    private readonly Task accepting;

    public SilentProxy(Uri broker, short swallowedClass, short swallowedMethod)
    {
        this.broker = broker;
        swallowed = (swallowedClass, swallowedMethod);
        listener.Start();
        Uri = new UriBuilder(broker) { Host = "127.0.0.1", Port = ((IPEndPoint)listener.LocalEndpoint).Port }.Uri;
        accepting = AcceptAsync();
    }

    public Uri Uri { get; }

    public bool HasSwallowed { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await accepting;
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(ForwardAsync(await listener.AcceptTcpClientAsync(stopping.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ForwardAsync(TcpClient accepted)
    {
        using var client = accepted;
        using var server = new TcpClient();
        await server.ConnectAsync(broker.Host, broker.Port, stopping.Token);
        var toClient = server.GetStream().CopyToAsync(client.GetStream(), stopping.Token);
        try
        {
            await Task.WhenAny(toClient, FilterAsync(client.GetStream(), server.GetStream()));
        }
        finally
        {
            client.Close();
            server.Close();
            await toClient.ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private async Task FilterAsync(NetworkStream from, NetworkStream to)
    {
        try
        {
            var header = new byte[ProtocolHeaderLength];
            await from.ReadExactlyAsync(header, stopping.Token);
            await to.WriteAsync(header, stopping.Token);
            while (true)
            {
                // A frame: type, channel (2), size (4), payload, end. A method's payload begins with its class and its number.
                await from.ReadExactlyAsync(header.AsMemory(0, FrameHeaderLength), stopping.Token);
                var size = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(3));
                var frame = new byte[FrameHeaderLength + size + 1];
                header.AsSpan(0, FrameHeaderLength).CopyTo(frame);
                await from.ReadExactlyAsync(frame.AsMemory(FrameHeaderLength), stopping.Token);
                if (!HasSwallowed && frame[0] == MethodFrame
                    && BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(FrameHeaderLength)) == swallowed.Class
                    && BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(FrameHeaderLength + 2)) == swallowed.Method)
                {
                    HasSwallowed = true;
                    continue;
                }

                await to.WriteAsync(frame, stopping.Token);
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // One side is gone.
        }
    }
}

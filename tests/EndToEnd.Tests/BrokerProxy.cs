using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Platform.EndToEnd.Tests;

/// <summary>
/// Stands between a client and the broker. It can swallow the first request of one kind (AMQP 0-9-1 class and method), so that the broker
/// never answers it while everything else goes on, and it can cut connections.
/// </summary>
internal sealed class BrokerProxy : IAsyncDisposable
{
    private const int ProtocolHeaderLength = 8;
    private const int FrameHeaderLength = 7;
    private const byte MethodFrame = 1;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly Uri broker;
    private readonly (short Class, short Method) swallowed;
    private readonly Task accepting;
    private readonly ConcurrentBag<TcpClient> open = [];

    public BrokerProxy(Uri broker, short swallowedClass = -1, short swallowedMethod = -1)
    {
        this.broker = broker;
        swallowed = (swallowedClass, swallowedMethod);
        listener.Start();
        Uri = new UriBuilder(broker) { Host = "127.0.0.1", Port = ((IPEndPoint)listener.LocalEndpoint).Port }.Uri;
        accepting = AcceptAsync();
    }

    public Uri Uri { get; }

    public bool HasSwallowed { get; private set; }

    /// <summary>Ends all connections without notice.</summary>
    public void Cut()
    {
        while (open.TryTake(out var client))
        {
            client.LingerState = new LingerOption(enable: true, seconds: 0);
            client.Close();
        }
    }

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
        open.Add(client);
        using var server = new TcpClient();
        await server.ConnectAsync(broker.Host, broker.Port, stopping.Token);
        var toClient = server.GetStream().CopyToAsync(client.GetStream(), stopping.Token);
        try
        {
            await Task.WhenAny(toClient, FilterAsync(client.GetStream(), server.GetStream()));
        }
        catch (Exception exception) when (exception is InvalidOperationException or IOException)
        {
            // The connection was cut already.
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
                // A frame consists of type, channel (2 bytes), size (4), payload and end. The payload of a method begins with class and
                // method number.
                await from.ReadExactlyAsync(header.AsMemory(0, FrameHeaderLength), stopping.Token);
                var size = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(3));
                var frame = new byte[FrameHeaderLength + size + 1];
                header.AsSpan(0, FrameHeaderLength).CopyTo(frame);
                await from.ReadExactlyAsync(frame.AsMemory(FrameHeaderLength), stopping.Token);
                if (
                    !HasSwallowed
                    && frame[0] == MethodFrame
                    && BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(FrameHeaderLength)) == swallowed.Class
                    && BinaryPrimitives.ReadInt16BigEndian(frame.AsSpan(FrameHeaderLength + 2)) == swallowed.Method
                )
                {
                    HasSwallowed = true;
                    continue;
                }

                await to.WriteAsync(frame, stopping.Token);
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // One side has closed its connection.
        }
    }
}

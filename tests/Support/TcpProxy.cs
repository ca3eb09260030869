using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Platform.Support;

/// <summary>
/// Stands between clients and a server. It can fall silent: whatever one side sends or closes, the other hears nothing of it, as when a
/// network fails without a word.
/// </summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private const int BufferBytes = 64 * 1024;

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<Task, bool> connections = new();
    private readonly string host;
    private readonly int port;
    private readonly Task accepting;
    private volatile TaskCompletionSource speaking = Completed();

    /// <param name="host">The server.</param>
    /// <param name="port">The port of the server.</param>
    public TcpProxy(string host, int port)
    {
        (this.host, this.port) = (host, port);
        listener.Start();
        accepting = AcceptAsync();
    }

    /// <summary>The port on 127.0.0.1 that clients connect to.</summary>
    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>How long each piece is held back.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Stands before the server of an address.</summary>
    /// <param name="server">How to reach the server itself.</param>
    /// <param name="throughProxy">How to reach it through the proxy.</param>
    public static TcpProxy Before(Uri server, out Uri throughProxy)
    {
        var proxy = new TcpProxy(server.Host, server.Port);
        throughProxy = new UriBuilder(server) { Host = "127.0.0.1", Port = proxy.Port }.Uri;
        return proxy;
    }

    /// <summary>Stands before the server of a connection string.</summary>
    /// <param name="connectionString">How to reach the server itself.</param>
    /// <param name="throughProxy">How to reach it through the proxy.</param>
    public static TcpProxy Before(string connectionString, out string throughProxy)
    {
        var parts = new DbConnectionStringBuilder { ConnectionString = connectionString };
        var host = parts.ContainsKey("Server") ? "Server" : "Host";
        var proxy = new TcpProxy((string)parts[host], int.Parse((string)parts["Port"], CultureInfo.InvariantCulture));
        parts[host] = "127.0.0.1";
        parts["Port"] = proxy.Port;
        throughProxy = parts.ConnectionString;
        return proxy;
    }

    /// <summary>Passes nothing on from now on, neither data nor the end of a connection. New connections are accepted and hear nothing.</summary>
    public void FallSilent() => speaking = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Passes everything on again, also what was held back.</summary>
    public void Speak() => speaking.TrySetResult();

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await accepting;
        await Task.WhenAll(connections.Keys);
        stopping.Dispose();
    }

    private static TaskCompletionSource Completed()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var connection = ForwardAsync(await listener.AcceptTcpClientAsync(stopping.Token));
                connections[connection] = true;
                _ = connection.ContinueWith(done => connections.TryRemove(done, out _), TaskScheduler.Default);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException)
        {
            // Stopped.
        }
    }

    private async Task ForwardAsync(TcpClient accepted)
    {
        using var client = accepted;
        using var server = new TcpClient();

        // As clients and servers have it: a piece that waited for the acknowledgement of the one before would be 40 ms late.
        client.NoDelay = server.NoDelay = true;
        try
        {
            await SpokenAsync();
            await server.ConnectAsync(host, port, stopping.Token);
            await await Task.WhenAny(
                PassOnAsync(client.GetStream(), server.GetStream()),
                PassOnAsync(server.GetStream(), client.GetStream())
            );
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException)
        {
            await IgnoreSilenceAsync();
        }
    }

    private async Task PassOnAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[BufferBytes];
        int read;
        do
        {
            read = await ReadAsync(from, buffer);
            await Task.Delay(Delay, TimeProvider.System, stopping.Token);
            await SpokenAsync();
            await to.WriteAsync(buffer.AsMemory(0, read), stopping.Token);
        } while (read > 0);
    }

    // A connection that was reset has ended, too.
    private async Task<int> ReadAsync(NetworkStream from, byte[] buffer)
    {
        try
        {
            return await from.ReadAsync(buffer, stopping.Token);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private Task SpokenAsync() => speaking.Task.WaitAsync(stopping.Token);

    private async Task IgnoreSilenceAsync()
    {
        try
        {
            await SpokenAsync();
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }
}

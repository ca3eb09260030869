using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Platform.Support;

namespace Platform.Abuse.Tests;

/// <summary>Clients that stop halfway, go away, or send more than it looks like.</summary>
public sealed class StuckClientTests
{
    [Fact]
    public async Task Clients_that_stop_halfway_keep_nobody_waiting_and_are_sent_away()
    {
        await using var api = await AbusedApi.StartAsync();
        await api.AskAsync();
        string[] halves =
        [
            "POST /heavy-tasks HTT",
            "GET /heavy-tasks HTTP/1.1\r\nHost: localhost\r\nX-Long: ",
            "POST /heavy-tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"kind\":",
            "POST /files?name=a.csv HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: 1000000\r\n\r\nexternalId,name\n",
            "POST /files?name=a.csv HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nexter\r\n",
        ];
        var stuck = new List<Socket>();
        for (var i = 0; i < 60; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(api.Address.Host, api.Address.Port, TestContext.Current.CancellationToken);
            var half = halves[i % halves.Length].Replace("Host: localhost\r\n", $"Host: localhost\r\nAuthorization: {TestKey.Header}\r\n");
            await socket.SendAsync(Encoding.ASCII.GetBytes(half), TestContext.Current.CancellationToken);
            stuck.Add(socket);
        }

        for (var i = 0; i < 100; i++)
        {
            (await api.AskAsync()).ShouldBeLessThan(TimeSpan.FromSeconds(10));
        }

        // A request's headers must come within 15 s, a body at 240 bytes/s after 5 s.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(90));
        foreach (var socket in stuck)
        {
            await ReadToEndAsync(socket, limit.Token);
            socket.Dispose();
        }

        await api.AskAsync();
    }

    [Fact]
    public async Task A_bomb_is_stopped_at_the_limit_of_what_comes_out()
    {
        await using var api = await AbusedApi.StartAsync(("Files:MaxLength", "1048576"));
        var before = api.Megabytes();

        (await PostAsync(api, "/files?name=bomb.csv", "text/csv", Bomb(300))).ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await PostAsync(api, "/heavy-tasks", "application/json", Bomb(300))).ShouldBe(HttpStatusCode.RequestEntityTooLarge);

        await api.AskAsync();
        api.Megabytes().ShouldBeLessThan(before + 150);
    }

    // A gzip of zeros is a thousandth of what comes out of it.
    private static byte[] Bomb(int megabytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            var zeros = new byte[1024 * 1024];
            for (var i = 0; i < megabytes; i++)
            {
                gzip.Write(zeros);
            }
        }

        return packed.ToArray();
    }

    private static async Task<HttpStatusCode> PostAsync(AbusedApi api, string path, string contentType, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        content.Headers.ContentEncoding.Add("gzip");
        using var response = await api.Client.PostAsync(new Uri(path, UriKind.Relative), content);
        return response.StatusCode;
    }

    private static async Task ReadToEndAsync(Socket socket, CancellationToken cancellationToken)
    {
        var buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer, cancellationToken) > 0) { }
        }
        catch (SocketException)
        {
            // Reset, which is an end, too.
        }
    }
}

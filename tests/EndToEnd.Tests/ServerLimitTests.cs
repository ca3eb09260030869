using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>What a connection may cost each service, before it knows who asks.</summary>
public sealed class ServerLimitTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("services/Api")]
    [InlineData("services/Worker")]
    [InlineData("services/Dashboard")]
    public async Task A_service_refuses_what_is_too_long_and_whoever_is_too_slow(string project)
    {
        await using var system = await TestSystem.StartAsync();
        var service = system.StartProcess(project, ("Kestrel:Limits:RequestHeadersTimeout", "00:00:02"));
        var address = await service.WaitForAddressAsync(Patience);
        string[] ordinary = ["GET /health/live HTTP/1.1", $"Host: {address.Authority}", "Connection: close"];

        var answer = await AskAsync(address, ordinary);
        answer.ShouldStartWith("HTTP/1.1 200");
        answer.ShouldNotContain("\r\nServer:");
        (await AskAsync(address, [.. ordinary, $"X-Long: {new string('a', 33 * 1024)}"])).ShouldStartWith("HTTP/1.1 431");
        (await AskAsync(address, [.. ordinary, .. Enumerable.Range(0, 64).Select(i => $"X-{i}: a")])).ShouldStartWith("HTTP/1.1 431");
        (await AskAsync(address, [$"GET /health/live?{new string('a', 9 * 1024)} HTTP/1.1", .. ordinary[1..]])).ShouldStartWith(
            "HTTP/1.1 414"
        );

        // A byte now and then does not keep the connection.
        using var slow = await ConnectAsync(address);
        var watch = Stopwatch.StartNew();
        var ended = ReadToEndAsync(slow);
        try
        {
            await slow.GetStream().WriteAsync(Encoding.ASCII.GetBytes("GET /health/live HTTP/1.1\r\nX-Slow: "));
            while (!ended.IsCompleted)
            {
                watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(30));
                await slow.GetStream().WriteAsync("a"u8.ToArray());
                await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, CancellationToken.None));
            }
        }
        catch (IOException)
        {
            // The connection has ended under the write.
        }

        (await ended).ShouldMatch("^(HTTP/1.1 408|$)");
    }

    [Fact]
    public async Task A_form_that_is_too_long_is_refused()
    {
        await using var system = await TestSystem.StartAsync();

        // With this time the answer can only come from the length.
        var dashboard = system.StartProcess(
            "services/Dashboard",
            ("Kestrel:Limits:MinRequestBodyDataRate:BytesPerSecond", "240"),
            ("Kestrel:Limits:MinRequestBodyDataRate:GracePeriod", "00:10:00")
        );
        var address = await dashboard.WaitForAddressAsync(Patience);
        string[] post = ["POST /sign-in HTTP/1.1", $"Host: {address.Authority}", "Content-Type: application/x-www-form-urlencoded"];

        var answer = await AskAsync(address, [.. post, $"Content-Length: {1024 * 1024 + 1}"]);

        answer.ShouldMatch("^HTTP/1.1 4(00|13)");
        answer.ShouldContain("Connection: close");
    }

    [Fact]
    public async Task Limits_are_set_by_configuration()
    {
        await using var system = await TestSystem.StartAsync();
        var service = system.StartProcess(
            "services/Api",
            ("Kestrel:Limits:MaxRequestHeaderCount", "4"),
            ("Kestrel:Limits:MaxConcurrentConnections", "1"),
            ("Kestrel:Limits:MinRequestBodyDataRate:BytesPerSecond", "1000000"),
            ("Kestrel:Limits:MinRequestBodyDataRate:GracePeriod", "00:00:02")
        );
        var address = await service.WaitForAddressAsync(Patience);
        string[] post = ["POST /heavy-tasks HTTP/1.1", $"Host: {address.Authority}", $"Authorization: {TestKey.Header}"];

        (await AskAsync(address, [.. post, "X-1: a", "X-2: b", "X-3: c"])).ShouldStartWith("HTTP/1.1 431");
        (await AskAsync(address, [.. post, "Content-Type: application/json", "Content-Length: 100"])).ShouldStartWith("HTTP/1.1 408");

        using var only = await ConnectAsync(address);
        await Eventually.Async(async () => (await AskAsync(address, post)).Length == 0, Patience, "a second connection is closed");
    }

    /// <summary>Sends the lines of a request, and no body; what comes back until the connection ends.</summary>
    private static async Task<string> AskAsync(Uri address, IEnumerable<string> lines)
    {
        using var connection = await ConnectAsync(address);
        var answer = ReadToEndAsync(connection);
        try
        {
            await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes(string.Join("\r\n", lines) + "\r\n\r\n"));
        }
        catch (IOException)
        {
            // Refused before the end.
        }

        return await answer;
    }

    private static async Task<TcpClient> ConnectAsync(Uri address)
    {
        var connection = new TcpClient();
        await connection.ConnectAsync(address.Host, address.Port);
        return connection;
    }

    private static async Task<string> ReadToEndAsync(TcpClient connection)
    {
        using var limit = new CancellationTokenSource(Patience);
        var text = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            int read;
            while ((read = await connection.GetStream().ReadAsync(buffer, limit.Token)) > 0)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (IOException)
        {
            // Reset, which is an end, too.
        }

        return text.ToString();
    }
}

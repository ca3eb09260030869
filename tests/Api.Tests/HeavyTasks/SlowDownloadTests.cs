using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Api.Tests.HeavyTasks;

public sealed class SlowDownloadTests
{
    private const int Clients = 200;

    [Fact]
    public async Task Clients_that_do_not_read_hold_no_connection()
    {
        await using var api = await TestApi.StartAsync(
            settings: [("Database:MaxPoolSize", "5"), ("Database:AcquireTimeout", "00:00:10"), ("Files:MaxConcurrent", $"{Clients}")]
        );

        // The content is larger than all buffers between server and client, so that every download stops halfway.
        var content = RandomNumberGenerator.GetBytes(12 * 1024 * 1024);
        var id = await api.SucceededWithFileAsync(content);
        var downloads = new List<RawConnection>();
        try
        {
            for (var n = 0; n < Clients; n++)
            {
                var download = await RawConnection.OpenAsync(api.Client.BaseAddress!, receiveBuffer: 4096);
                downloads.Add(download);
                await download.SendAsync($"GET /heavy-tasks/{id}/result HTTP/1.1\r\nHost: localhost\r\n\r\n");
            }

            foreach (var download in downloads)
            {
                (await download.ReadHeadersAsync()).ShouldStartWith("HTTP/1.1 200 ");
            }

            var pool = api.Services.GetRequiredService<DatabasePool>();
            await Eventually.Async(() => pool.Read() is { InUse: 0, Waiting: 0 }, TimeSpan.FromSeconds(60));

            // The pool serves others while there are 40 times as many open downloads as connections.
            var others = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => api.Client.GetAsync("/users/1")));
            others.ShouldAllBe(r => r.StatusCode == HttpStatusCode.NotFound);
            (await api.Client.SubmitTaskAsync()).ShouldNotBe(Guid.Empty);

            // A client that reads again gets the rest.
            foreach (var download in downloads.Take(3))
            {
                (await download.ReadAsync(content.Length)).AsSpan().SequenceEqual(content).ShouldBeTrue();
            }
        }
        finally
        {
            downloads.ForEach(d => d.Dispose());
        }
    }
}

using System.Collections.Concurrent;
using System.Net;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Api.Tests.Files;

public sealed class ManyUploadsTests
{
    private const int Uploads = 300;

    [Fact]
    public async Task Many_uploads_at_once_fail_no_light_request_and_leave_nothing_unfinished()
    {
        await using var api = await TestApi.StartAsync(settings: [("Database:MaxPoolSize", "6"), ("Database:AcquireTimeout", "00:00:03")]);
        var content = new byte[2 * StoredFile.ChunkLength];
        var light = new ConcurrentDictionary<HttpStatusCode, int>();
        using var done = new CancellationTokenSource();
        var lights = Enumerable
            .Range(0, 4)
            .Select(async _ =>
            {
                while (!done.IsCancellationRequested)
                {
                    using var response = await api.Client.GetAsync($"/heavy-tasks/{Guid.NewGuid()}");
                    light.AddOrUpdate(response.StatusCode, 1, (_, count) => count + 1);
                }
            })
            .ToList();

        var uploads = await Task.WhenAll(Enumerable.Range(0, Uploads).Select(_ => UploadAsync(api, content)));
        await done.CancelAsync();
        await Task.WhenAll(lights);

        var stored = uploads.Count(status => status == HttpStatusCode.Created);
        TestContext.Current.SendDiagnosticMessage($"{stored} of {Uploads} stored; light requests: {string.Join(", ", light)}");
        light.Keys.ShouldBe([HttpStatusCode.NotFound]);
        uploads.ShouldAllBe(status => status == HttpStatusCode.Created || status == HttpStatusCode.ServiceUnavailable);
        stored.ShouldBeGreaterThan(0);
        await Eventually.Async(
            async () =>
                await api.Database.CountAsync("stored_files") == stored
                && await api.Database.CountAsync("stored_file_chunks") == 2 * stored,
            TimeSpan.FromSeconds(60),
            "nothing is left of the others"
        );
    }

    private static async Task<HttpStatusCode> UploadAsync(TestApi api, byte[] bytes)
    {
        using var content = new ByteArrayContent(bytes);
        using var response = await api.Client.PostAsync("/files?name=a", content);
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
        {
            response.Headers.RetryAfter.ShouldNotBeNull();
        }

        return response.StatusCode;
    }
}

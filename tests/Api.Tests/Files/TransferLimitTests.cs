using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Platform.HeavyTasks.Http;
using Platform.Support;

namespace Platform.Api.Tests.Files;

public sealed class TransferLimitTests : IAsyncLifetime
{
    private TestApi api = null!;

    public async ValueTask InitializeAsync() =>
        api = await TestApi.StartAsync(settings: [("Files:MaxConcurrent", "1"), ("Database:AcquireTimeout", "00:00:01")]);

    public ValueTask DisposeAsync() => api.DisposeAsync();

    [Fact]
    public async Task One_upload_too_many_is_refused_before_its_body_is_read()
    {
        using var first = await BeginUploadAsync();
        await Eventually.Async(async () => await api.Database.CountAsync("stored_files") == 1, TimeSpan.FromSeconds(30));

        using var second = await BeginUploadAsync();

        var answer = await second.ReadHeadersAsync();
        answer.ShouldStartWith("HTTP/1.1 503 ");
        answer.ShouldContain("Retry-After: 2");
        answer.ShouldContain("application/problem+json");
        (await api.Database.CountAsync("stored_files")).ShouldBe(1);
    }

    [Fact]
    public async Task An_upload_that_ended_makes_room_for_the_next()
    {
        for (var i = 0; i < 3; i++)
        {
            using var content = new ByteArrayContent([1]);
            using var response = await api.Client.PostAsync("/files?name=a", content);
            await response.ShouldBeJsonAsync(HttpStatusCode.Created);
        }
    }

    [Fact]
    public async Task Downloads_do_not_keep_uploads_out()
    {
        var transfers = api.Services.GetRequiredService<FileTransfers>();
        using var download = await transfers.TryBeginDownloadAsync(CancellationToken.None);
        (await transfers.TryBeginDownloadAsync(CancellationToken.None)).ShouldBeNull();

        using var content = new ByteArrayContent([1]);
        using var response = await api.Client.PostAsync("/files?name=a", content);

        await response.ShouldBeJsonAsync(HttpStatusCode.Created);
    }

    private async Task<RawConnection> BeginUploadAsync()
    {
        var connection = await RawConnection.OpenAsync(api.Client.BaseAddress!);
        await connection.SendAsync("POST /files?name=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n");
        return connection;
    }
}

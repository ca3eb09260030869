using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using Platform.HeavyTasks;
using Platform.Support;

namespace Platform.Api.Tests.Files;

public sealed class UploadFileTests : IAsyncLifetime
{
    private const int MaxLength = 3 * StoredFile.ChunkLength;

    private TestApi api = null!;

    public async ValueTask InitializeAsync() => api = await TestApi.StartAsync(settings: ("Files:MaxLength", $"{MaxLength}"));

    public ValueTask DisposeAsync() => api.DisposeAsync();

    [Theory]
    [InlineData("")]
    [InlineData("name=")]
    [InlineData("name=%20")]
    [InlineData("name=.")]
    [InlineData("name=..")]
    [InlineData("name=a/b")]
    [InlineData("name=%2Fetc%2Fpasswd")]
    [InlineData("name=..%5Cusers.csv")]
    [InlineData("name=a%00.csv")]
    [InlineData("name=a%0Ab.csv")]
    [InlineData("name=a%1Bb.csv")]
    [InlineData("name=a&name=b")]
    public async Task Name_that_is_no_file_name_is_refused(string query)
    {
        using var response = await UploadAsync([1], query);

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "name");
        await NothingIsStoredAsync();
    }

    [Fact]
    public async Task Name_of_255_characters_is_the_longest()
    {
        using var tooLong = await UploadAsync([1], $"name={new string('n', 256)}");
        await tooLong.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "name");
        await NothingIsStoredAsync();

        using var longest = await UploadAsync([1], $"name={new string('é', 255)}");
        await longest.ShouldBeJsonAsync(HttpStatusCode.Created);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("text/")]
    public async Task Content_type_that_is_none_is_refused(string contentType)
    {
        using var content = new ByteArrayContent([1]);
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);

        using var response = await api.Client.PostAsync("/files?name=a", content);

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "Content-Type");
        await NothingIsStoredAsync();
    }

    [Fact]
    public async Task Announced_length_over_the_limit_is_refused_before_anything_is_sent()
    {
        using var connection = await RawConnection.OpenAsync(api.Client.BaseAddress!);

        await connection.SendAsync($"POST /files?name=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MaxLength + 1}\r\n\r\n");

        (await connection.ReadHeadersAsync()).ShouldStartWith("HTTP/1.1 413 ");
        await NothingIsStoredAsync();
    }

    [Fact]
    public async Task Unannounced_length_over_the_limit_is_refused_and_nothing_is_kept()
    {
        using var response = await UploadAsync(new byte[MaxLength + 1], "name=a", chunked: true);

        await response.ShouldBeProblemAsync(HttpStatusCode.RequestEntityTooLarge);
        await NothingIsStoredAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Client_that_disconnects_leaves_nothing(bool chunked)
    {
        using (var connection = await RawConnection.OpenAsync(api.Client.BaseAddress!))
        {
            var piece = new byte[StoredFile.ChunkLength + 1];
            await connection.SendAsync(
                $"POST /files?name=a HTTP/1.1\r\nHost: localhost\r\n{(chunked ? "Transfer-Encoding: chunked" : $"Content-Length: {MaxLength}")}\r\n\r\n"
            );
            await connection.SendAsync(chunked ? $"{piece.Length:X}\r\n" : "");
            await connection.SendAsync(piece);
            await Eventually.Async(async () => await api.Database.CountAsync("stored_file_chunks") == 1, TimeSpan.FromSeconds(30));
        }

        await Eventually.Async(async () => await api.Database.CountAsync("stored_files") == 0, TimeSpan.FromSeconds(30));
        (await api.Database.CountAsync("stored_file_chunks")).ShouldBe(0);
    }

    [Fact]
    public async Task Upload_under_way_cannot_be_seen()
    {
        using var connection = await RawConnection.OpenAsync(api.Client.BaseAddress!);
        await connection.SendAsync($"POST /files?name=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MaxLength}\r\n\r\n");
        await Eventually.Async(async () => await api.Database.CountAsync("stored_files") == 1, TimeSpan.FromSeconds(30));
        var id = await api.Database.ScalarAsync("SELECT id FROM stored_files");

        using var response = await api.Client.GetAsync($"/files/{id}");

        await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Unknown_file_is_not_found()
    {
        using var response = await api.Client.GetAsync($"/files/{Guid.NewGuid()}");

        await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(StoredFile.ChunkLength)]
    [InlineData(MaxLength)]
    public async Task Stored_file_is_described_the_same_at_once_and_later(int length)
    {
        var bytes = RandomNumberGenerator.GetBytes(length);

        using var response = await UploadAsync(bytes, "name=users%202.csv", contentType: "text/csv; charset=utf-8");

        var file = await response.ShouldBeJsonAsync(HttpStatusCode.Created);
        var id = file.GetProperty("id").GetGuid();
        response.Headers.Location!.ToString().ShouldBe($"/files/{id}");
        file.EnumerateObject().Select(p => p.Name).ShouldBe(["id", "name", "contentType", "length", "sha256", "createdAt"]);
        file.GetProperty("name").GetString().ShouldBe("users 2.csv");
        file.GetProperty("contentType").GetString().ShouldBe("text/csv; charset=utf-8");
        file.GetProperty("length").GetInt64().ShouldBe(length);
        file.GetProperty("sha256").GetString().ShouldBe(Convert.ToHexStringLower(SHA256.HashData(bytes)));
        JsonElement.DeepEquals(await api.Client.GetJsonAsync($"/files/{id}"), file).ShouldBeTrue();
    }

    [Fact]
    public async Task File_without_a_content_type_is_bytes()
    {
        using var response = await UploadAsync([1], "name=a", contentType: null);

        (await response.ShouldBeJsonAsync(HttpStatusCode.Created))
            .GetProperty("contentType")
            .GetString()
            .ShouldBe("application/octet-stream");
    }

    private async Task<HttpResponseMessage> UploadAsync(byte[] bytes, string query, string? contentType = "text/csv", bool chunked = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/files?{query}") { Content = new ByteArrayContent(bytes) };
        request.Content.Headers.ContentType = contentType is null ? null : MediaTypeHeaderValue.Parse(contentType);
        request.Headers.TransferEncodingChunked = chunked;
        return await api.Client.SendAsync(request);
    }

    private async Task NothingIsStoredAsync()
    {
        (await api.Database.CountAsync("stored_files")).ShouldBe(0);
        (await api.Database.CountAsync("stored_file_chunks")).ShouldBe(0);
    }
}

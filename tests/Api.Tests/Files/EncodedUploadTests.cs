using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.Files;

/// <summary>Bodies that are compressed, or wrapped in a form.</summary>
public sealed class EncodedUploadTests : IAsyncLifetime
{
    private const int MaxLength = 2 * StoredFile.ChunkLength;

    private TestApi api = null!;

    public async ValueTask InitializeAsync() => api = await TestApi.StartAsync(settings: ("Files:MaxLength", $"{MaxLength}"));

    public ValueTask DisposeAsync() => api.DisposeAsync();

    [Theory]
    [InlineData("gzip")]
    [InlineData("GZIP")]
    [InlineData("x-gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("identity")]
    [InlineData("gzip, br")]
    public async Task Compressed_file_is_stored_as_it_was(string encoding)
    {
        var bytes = RandomNumberGenerator.GetBytes(StoredFile.ChunkLength + 17);

        using var response = await UploadAsync(Compressed(encoding, bytes), encoding);

        var file = await response.ShouldBeJsonAsync(HttpStatusCode.Created);
        file.GetProperty("length").GetInt32().ShouldBe(bytes.Length);
        file.GetProperty("sha256").GetString().ShouldBe(Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("br, gzip")]
    public async Task Limit_counts_what_comes_out(string encoding)
    {
        using var longest = await UploadAsync(Compressed(encoding, new byte[MaxLength]), encoding);
        await longest.ShouldBeJsonAsync(HttpStatusCode.Created);
        await api.Database.ScalarAsync("DELETE FROM stored_file_chunks");
        await api.Database.ScalarAsync("DELETE FROM stored_files");

        using var tooLong = await UploadAsync(Compressed(encoding, new byte[100 * MaxLength]), encoding);

        await tooLong.ShouldBeProblemAsync(HttpStatusCode.RequestEntityTooLarge);
        await NothingIsStoredAsync();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task Body_that_is_not_what_its_encoding_says_is_refused(string encoding)
    {
        var bytes = RandomNumberGenerator.GetBytes(StoredFile.ChunkLength);
        using var other = await UploadAsync([.. "externalId,name\n"u8, .. bytes], encoding);
        await other.ShouldBeProblemAsync(HttpStatusCode.BadRequest);

        using var cut = await UploadAsync(Compressed(encoding, bytes)[..^100], encoding);

        await cut.ShouldBeProblemAsync(HttpStatusCode.BadRequest);
        await NothingIsStoredAsync();
    }

    [Theory]
    [InlineData("zstd")]
    [InlineData("compress")]
    [InlineData("gzip, nonsense")]
    [InlineData("gzip, gzip, gzip")]
    public async Task Unknown_encoding_is_refused_and_the_known_ones_are_named(string encoding)
    {
        using var upload = await UploadAsync([1], encoding);
        await upload.ShouldBeProblemAsync(HttpStatusCode.UnsupportedMediaType);
        upload.Headers.GetValues("Accept-Encoding").ShouldBe(["gzip, deflate, br"]);

        using var submit = await SubmitAsync([1], encoding);

        await submit.ShouldBeProblemAsync(HttpStatusCode.UnsupportedMediaType);
        await NothingIsStoredAsync();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task Compressed_request_is_read_and_its_limit_counts_what_comes_out(string encoding)
    {
        var request = """{"kind":"users.statistics"}""";
        using var submit = await SubmitAsync(Compressed(encoding, Encoding.UTF8.GetBytes(request)), encoding);
        await submit.ShouldBeJsonAsync(HttpStatusCode.Accepted);

        using var tooLong = await SubmitAsync(Compressed(encoding, Encoding.UTF8.GetBytes(request + new string(' ', 1 << 20))), encoding);
        using var plain = await SubmitAsync(Encoding.UTF8.GetBytes(request), encoding);

        await tooLong.ShouldBeProblemAsync(HttpStatusCode.RequestEntityTooLarge);
        await plain.ShouldBeProblemAsync(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Compression_of_the_transfer_is_undone_too()
    {
        var compressed = Compressed("gzip", new byte[1000]);
        using var connection = await RawConnection.OpenAsync(api.Client.BaseAddress!);
        await connection.SendAsync("POST /files?name=a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n");
        await connection.SendAsync($"{compressed.Length:X}\r\n");
        await connection.SendAsync(compressed);
        await connection.SendAsync("\r\n0\r\n\r\n");

        (await connection.ReadHeadersAsync()).ShouldStartWith("HTTP/1.1 201 ");

        (await api.Database.ScalarAsync("SELECT length FROM stored_files")).ShouldBe(1000L);
    }

    [Fact]
    public async Task Form_is_refused_and_the_answer_says_how_to_upload()
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent([1]), "file", "in.csv" } };

        using var response = await api.Client.PostAsync("/files?name=in.csv", form);

        var problem = await response.ShouldBeProblemAsync(HttpStatusCode.UnsupportedMediaType);
        problem.GetProperty("detail").GetString()!.ShouldContain("--data-binary");
        await NothingIsStoredAsync();
    }

    private static byte[] Compressed(string encodings, byte[] bytes)
    {
        foreach (var encoding in encodings.ToLowerInvariant().Split(", "))
        {
            var target = new MemoryStream();
            using (
                Stream compressing = encoding switch
                {
                    "gzip" or "x-gzip" => new GZipStream(target, CompressionLevel.Fastest),
                    "deflate" => new ZLibStream(target, CompressionLevel.Fastest),
                    "br" => new BrotliStream(target, CompressionLevel.Fastest),
                    _ => target,
                }
            )
            {
                compressing.Write(bytes);
            }

            bytes = target.ToArray();
        }

        return bytes;
    }

    private Task<HttpResponseMessage> UploadAsync(byte[] bytes, string encoding) =>
        PostAsync("/files?name=a.csv", "text/csv", bytes, encoding);

    private Task<HttpResponseMessage> SubmitAsync(byte[] bytes, string encoding) =>
        PostAsync("/heavy-tasks", "application/json", bytes, encoding);

    private async Task<HttpResponseMessage> PostAsync(string address, string contentType, byte[] bytes, string encoding)
    {
        using var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        content.Headers.TryAddWithoutValidation("Content-Encoding", encoding).ShouldBeTrue();
        return await api.Client.PostAsync(address, content);
    }

    private async Task NothingIsStoredAsync()
    {
        (await api.Database.CountAsync("stored_files")).ShouldBe(0);
        (await api.Database.CountAsync("stored_file_chunks")).ShouldBe(0);
    }
}

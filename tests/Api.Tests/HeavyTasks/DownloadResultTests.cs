using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Platform.HeavyTasks;

namespace Platform.Api.Tests.HeavyTasks;

public sealed class DownloadResultTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    // The content is two whole chunks and a part of a third.
    private static readonly byte[] Content = RandomNumberGenerator.GetBytes((2 * StoredFile.ChunkLength) + 1000);

    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task Unknown_task_is_not_found()
    {
        using var response = await api.Client.GetAsync($"/heavy-tasks/{Guid.NewGuid()}/result");

        await response.ShouldBeProblemAsync(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData(HeavyTaskStatus.Queued)]
    [InlineData(HeavyTaskStatus.Running)]
    [InlineData(HeavyTaskStatus.Failed)]
    [InlineData(HeavyTaskStatus.Succeeded)]
    public async Task Task_without_a_result_file_says_so(HeavyTaskStatus status)
    {
        var id = await api.Client.SubmitTaskAsync();
        await (
            status switch
            {
                HeavyTaskStatus.Running => api.RunningAsync(id),
                HeavyTaskStatus.Failed => api.FailedAsync(id),
                HeavyTaskStatus.Succeeded => api.SucceededAsync(id),
                _ => Task.CompletedTask,
            }
        );

        using var response = await api.Client.GetAsync($"/heavy-tasks/{id}/result");

        (await response.ShouldBeProblemAsync(HttpStatusCode.NotFound)).GetProperty("detail").GetString()!.ShouldContain("no result file");
    }

    [Fact]
    public async Task Result_is_the_file_with_its_headers()
    {
        var id = await api.SucceededWithFileAsync(Content);

        using var response = await api.Client.GetAsync($"/heavy-tasks/{id}/result");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBe(Content);
        response.Content.Headers.ContentLength.ShouldBe(Content.Length);
        response.Content.Headers.ContentType!.ToString().ShouldBe("text/csv");
        response.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        response.Content.Headers.ContentDisposition.FileName.ShouldBe("users.csv");
        response.Headers.ETag!.Tag.ShouldBe($"\"{Convert.ToHexStringLower(SHA256.HashData(Content))}\"");
        response.Headers.AcceptRanges.ShouldBe(["bytes"]);
        response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
    }

    [Fact]
    public async Task File_name_cannot_break_out_of_its_header()
    {
        var id = await api.SucceededWithFileAsync([1], "naïve\"; filename=\"x.html");

        using var response = await api.Client.GetAsync($"/heavy-tasks/{id}/result");

        response.Content.Headers.ContentDisposition!.FileNameStar.ShouldBe("naïve\"; filename=\"x.html");
    }

    [Fact]
    public async Task Empty_file_is_downloaded_empty()
    {
        var id = await api.SucceededWithFileAsync([]);

        using var response = await api.Client.GetAsync($"/heavy-tasks/{id}/result");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentLength.ShouldBe(0);
    }

    [Theory]
    [InlineData(0L, 0L, 0, 1)]
    [InlineData(10L, 19L, 10, 10)]
    [InlineData(StoredFile.ChunkLength - 5L, StoredFile.ChunkLength + 4L, StoredFile.ChunkLength - 5, 10)]
    [InlineData((2L * StoredFile.ChunkLength) + 990L, null, (2 * StoredFile.ChunkLength) + 990, 10)]
    [InlineData(null, 3L, (2 * StoredFile.ChunkLength) + 997, 3)]
    [InlineData(524_000L, 9_999_999L, 524_000, 1288)]
    public async Task Range_is_that_part_of_the_file(long? from, long? to, int start, int length)
    {
        var id = await api.SucceededWithFileAsync(Content);

        using var response = await GetAsync(id, r => r.Range = new RangeHeaderValue(from, to));

        response.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBe(Content[start..(start + length)]);
        response.Content.Headers.ContentRange.ShouldBe(new ContentRangeHeaderValue(start, start + length - 1, Content.Length));
    }

    [Fact]
    public async Task Range_beyond_the_end_cannot_be_satisfied()
    {
        var id = await api.SucceededWithFileAsync(Content);

        using var response = await GetAsync(id, r => r.Range = new RangeHeaderValue(Content.Length, null));

        await response.ShouldBeProblemAsync(HttpStatusCode.RequestedRangeNotSatisfiable);
        response.Content.Headers.ContentRange!.ToString().ShouldBe($"bytes */{Content.Length}");
        response.Content.Headers.ContentDisposition.ShouldBeNull();
    }

    [Theory]
    [InlineData("lines=0-1")]
    [InlineData("rows=999999999-")]
    [InlineData("bytes")]
    [InlineData("bytes 0-1")]
    [InlineData("bytes=b-a")]
    public async Task Range_of_another_unit_is_ignored(string range)
    {
        var id = await api.SucceededWithFileAsync(Content);

        using var response = await GetAsync(id, r => r.TryAddWithoutValidation("Range", range).ShouldBeTrue());

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBe(Content);
    }

    [Theory]
    [InlineData("bytes=99999999999999999999-", HttpStatusCode.RequestedRangeNotSatisfiable)]
    [InlineData("bytes=-99999999999999999999", HttpStatusCode.PartialContent)]
    [InlineData("bytes=0-99999999999999999999", HttpStatusCode.PartialContent)]
    public async Task Range_may_have_any_number(string range, HttpStatusCode status)
    {
        var id = await api.SucceededWithFileAsync(Content);

        using var response = await GetAsync(id, r => r.TryAddWithoutValidation("Range", range).ShouldBeTrue());

        response.StatusCode.ShouldBe(status);
        response.Content.Headers.ContentRange!.Length.ShouldBe(Content.Length);
    }

    [Fact]
    public async Task Unit_of_a_range_may_be_written_in_any_case()
    {
        var id = await api.SucceededWithFileAsync(Content);

        using var response = await GetAsync(id, r => r.TryAddWithoutValidation("Range", "Bytes=1-2").ShouldBeTrue());

        response.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBe(Content[1..3]);
    }

    [Fact]
    public async Task File_that_is_not_the_one_asked_for_is_a_problem()
    {
        var id = await api.SucceededWithFileAsync(Content);

        using var response = await GetAsync(id, r => r.IfMatch.Add(new EntityTagHeaderValue("\"other\"")));

        await response.ShouldBeProblemAsync(HttpStatusCode.PreconditionFailed);
    }

    [Fact]
    public async Task HEAD_says_what_the_whole_file_would_be()
    {
        var id = await api.SucceededWithFileAsync(Content);
        using var request = new HttpRequestMessage(HttpMethod.Head, $"/heavy-tasks/{id}/result");
        request.Headers.Range = new RangeHeaderValue(0, 9);

        using var response = await api.Client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentLength.ShouldBe(Content.Length);
        response.Headers.ETag!.Tag.ShouldBe($"\"{Convert.ToHexStringLower(SHA256.HashData(Content))}\"");
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task File_that_the_client_has_is_not_sent_again()
    {
        var id = await api.SucceededWithFileAsync(Content);
        var etag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(Content))}\"");

        using var same = await GetAsync(id, r => r.IfNoneMatch.Add(etag));
        using var other = await GetAsync(id, r => r.IfNoneMatch.Add(new EntityTagHeaderValue("\"other\"")));

        same.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        (await same.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
        other.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Range_of_another_version_is_answered_with_the_whole_file()
    {
        var id = await api.SucceededWithFileAsync(Content);

        using var response = await GetAsync(
            id,
            r =>
            {
                r.Range = new RangeHeaderValue(0, 9);
                r.IfRange = new RangeConditionHeaderValue("\"other\"");
            }
        );

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentLength.ShouldBe(Content.Length);
    }

    private Task<HttpResponseMessage> GetAsync(Guid id, Action<HttpRequestHeaders> configure)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"/heavy-tasks/{id}/result");
        configure(request.Headers);
        return api.Client.SendAsync(request);
    }
}

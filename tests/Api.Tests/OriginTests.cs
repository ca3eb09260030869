using System.Net;
using System.Text;
using Platform.Api.Tests.HeavyTasks;
using Platform.Support;

namespace Platform.Api.Tests;

/// <summary>What pages of other origins can do through the browser of somebody who reaches the service.</summary>
public sealed class OriginTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Theory]
    [InlineData("http://evil.example")]
    [InlineData("https://ADDRESS:1")]
    [InlineData("http://localhost.evil.example")]
    [InlineData("null")]
    [InlineData("nonsense")]
    [InlineData("http://OWN, http://evil.example")]
    public async Task Page_of_another_origin_cannot_submit_upload_cancel_or_retry(string origin)
    {
        var later = TimeProvider.System.GetUtcNow().AddDays(1);
        var id = await api.Client.SubmitTaskAsync($$"""{"kind":"users.statistics","dueAt":"{{later:O}}"}""");
        var before = (await api.Client.GetJsonAsync("/heavy-tasks")).GetProperty("items").GetArrayLength();

        foreach (var path in (string[])["/heavy-tasks", $"/heavy-tasks/{id}/cancel", $"/heavy-tasks/{id}/retry", "/files?name=a.csv"])
        {
            using var response = await WriteAsync(path, ("Origin", Here(origin)));
            await response.ShouldBeProblemAsync(HttpStatusCode.Forbidden);
        }

        (await api.Client.GetJsonAsync("/heavy-tasks")).GetProperty("items").GetArrayLength().ShouldBe(before);
        (await api.Client.GetJsonAsync($"/heavy-tasks/{id}")).GetProperty("status").GetString().ShouldBe("Scheduled");
    }

    [Theory]
    [InlineData("cross-site", "http://OWN")]
    [InlineData("same-site", "http://OWN")]
    [InlineData("cross-site", null)]
    public async Task What_the_browser_says_of_the_page_counts(string site, string? origin)
    {
        using var response = await WriteAsync("/heavy-tasks", ("Sec-Fetch-Site", site), ("Origin", origin is null ? null : Here(origin)));

        await response.ShouldBeProblemAsync(HttpStatusCode.Forbidden);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(null, "http://OWN")]
    [InlineData(null, "https://OWN")]
    [InlineData("none", null)]
    [InlineData("same-origin", "https://name.before.the.proxy.example")]
    public async Task Own_pages_and_clients_that_are_no_browser_may_write(string? site, string? origin)
    {
        using var response = await WriteAsync("/heavy-tasks", ("Sec-Fetch-Site", site), ("Origin", origin is null ? null : Here(origin)));

        response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
    }

    [Fact]
    public async Task Page_of_another_origin_may_read_as_far_as_its_browser_lets_it()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/heavy-tasks") { Headers = { { "Origin", "http://evil.example" } } };
        using var response = await api.Client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
    }

    [Fact]
    public async Task Origins_that_the_setting_names_may_write()
    {
        await using var open = await TestApi.StartAsync(settings: ("HeavyTasks:AllowedOrigins:0", "https://shop.example"));

        using (
            var response = await WriteAsync(
                "/heavy-tasks",
                open.Client,
                ("Origin", "https://shop.example"),
                ("Sec-Fetch-Site", "cross-site")
            )
        )
        {
            response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        }

        using (var response = await WriteAsync("/heavy-tasks", open.Client, ("Origin", "https://shop.example.evil.example")))
        {
            await response.ShouldBeProblemAsync(HttpStatusCode.Forbidden);
        }
    }

    [Theory]
    [InlineData("/heavy-tasks", HttpStatusCode.OK)]
    [InlineData("/users/1", HttpStatusCode.NotFound)]
    [InlineData("/heavy-tasks?limit=0", HttpStatusCode.BadRequest)]
    [InlineData("/nothing", HttpStatusCode.NotFound)]
    [InlineData("/health/live", HttpStatusCode.OK)]
    [InlineData("/openapi/v1.json", HttpStatusCode.OK)]
    public async Task No_browser_takes_an_answer_for_a_page(string path, HttpStatusCode status)
    {
        using var response = await api.Client.GetAsync(path);

        response.StatusCode.ShouldBe(status);
        response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        response.Headers.GetValues("Content-Security-Policy").Single().ShouldStartWith("default-src 'none'");
        response.Headers.GetValues("Referrer-Policy").ShouldBe(["no-referrer"]);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("127.0.0.1.evil.example:PORT")]
    [InlineData("localhost.evil.example")]
    [InlineData("8.8.8.8")]
    public async Task Name_that_another_site_gave_to_loopback_is_not_answered(string host)
    {
        // The document is about the service's own addresses.
        using var client = new HttpClient { BaseAddress = api.Client.BaseAddress }.WithTestKey();
        foreach (var path in (string[])["/heavy-tasks", "/services", "/health/ready", "/nothing"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = Here(host) } };
            using var response = await client.SendAsync(request);
            var problem = await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest);
            problem.GetProperty("detail").GetString().ShouldNotBeNull().ShouldContain("AllowedHosts");
        }
    }

    [Theory]
    [InlineData("localhost:PORT")]
    [InlineData("LOCALHOST")]
    [InlineData("127.0.0.1:PORT")]
    [InlineData("[::1]:PORT")]
    [InlineData("api.localhost")]
    public async Task Names_of_loopback_are_answered(string host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/heavy-tasks") { Headers = { Host = Here(host) } };
        using var response = await api.Client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("http://127.0.0.1:0", "shop.example")]
    [InlineData("http://0.0.0.0:0", null)]
    public async Task Other_names_are_answered_where_the_setting_names_them_or_others_can_reach_the_service(string urls, string? allowed)
    {
        (string, string)[] settings = allowed is null ? [("urls", urls)] : [("urls", urls), ("AllowedHosts", allowed)];
        await using var open = await TestApi.StartAsync(settings: settings);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/heavy-tasks") { Headers = { Host = "shop.example" } };
        using var client = new HttpClient
        {
            BaseAddress = new UriBuilder(open.Client.BaseAddress!) { Host = "127.0.0.1" }.Uri,
        }.WithTestKey();
        using var response = await client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private string Here(string text) =>
        text.Replace("OWN", api.Client.BaseAddress!.Authority)
            .Replace("ADDRESS", api.Client.BaseAddress.Host)
            .Replace("PORT", $"{api.Client.BaseAddress.Port}");

    private Task<HttpResponseMessage> WriteAsync(string path, params (string Name, string? Value)[] headers) =>
        WriteAsync(path, api.Client, headers);

    private static async Task<HttpResponseMessage> WriteAsync(string path, HttpClient client, params (string Name, string? Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = path.StartsWith("/files", StringComparison.Ordinal)
                ? new StringContent("a\n1\n", Encoding.UTF8, "text/plain")
                : new StringContent("""{"kind":"users.statistics"}""", Encoding.UTF8, "application/json"),
        };
        foreach (var (name, value) in headers.Where(header => header.Value is not null))
        {
            request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        }

        return await client.SendAsync(request);
    }
}

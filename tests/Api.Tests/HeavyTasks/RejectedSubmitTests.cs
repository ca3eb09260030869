using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Platform.Api.Tests.HeavyTasks;

/// <summary>What is refused is refused with the field's name, and leaves nothing: no test of this class writes a task or a message.</summary>
public sealed class RejectedSubmitTests(ApiFixture fixture) : IClassFixture<ApiFixture>, IAsyncLifetime
{
    private const string File = "\"fileId\":\"0199f2a0-0000-7000-8000-000000000001\"";

    private readonly TestApi api = fixture.Api;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        (await api.Database.CountAsync("heavy_tasks")).ShouldBe(0);
        await api.SettledAsync();
        api.Messages.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("null", "$")]
    [InlineData("[]", "$")]
    [InlineData("\"users.export\"", "$")]
    [InlineData("{}", "kind")]
    [InlineData("""{"kind":null}""", "kind")]
    [InlineData("""{"kind":5}""", "kind")]
    [InlineData("""{"kind":""}""", "kind")]
    [InlineData("""{"kind":"\ud800"}""", "kind")]
    [InlineData("""{"kind":"Users.Export"}""", "kind")]
    [InlineData("""{"kind":"users.export","priority":1}""", "priority")]
    [InlineData("""{"kind":"users.export","\ud800":1}""", "$")]
    [InlineData("""{"kind":"users.export","maxAttempts":0}""", "maxAttempts")]
    [InlineData("""{"kind":"users.export","maxAttempts":101}""", "maxAttempts")]
    [InlineData("""{"kind":"users.export","maxAttempts":"5"}""", "maxAttempts")]
    [InlineData("""{"kind":"users.export","maxAttempts":1.5}""", "maxAttempts")]
    [InlineData("""{"kind":"users.export","dueAt":"tomorrow"}""", "dueAt")]
    [InlineData("""{"kind":"users.export","dueAt":"9999-12-31T23:59:59Z"}""", "dueAt")]
    [InlineData("""{"kind":"users.export","parameters":5}""", "parameters")]
    [InlineData("""{"kind":"users.export","parameters":[]}""", "parameters")]
    [InlineData("""{"kind":"users.export","parameters":{"country":""}}""", "parameters.country")]
    [InlineData("""{"kind":"users.export","parameters":{"country":7}}""", "parameters.country")]
    [InlineData("""{"kind":"users.export","parameters":{"country":"\udc00"}}""", "parameters.country")]
    [InlineData("""{"kind":"users.export","parameters":{"\ud800":1}}""", "parameters")]
    [InlineData("""{"kind":"users.export","parameters":{"signedUpFrom":"2026"}}""", "parameters.signedUpFrom")]
    [InlineData("""{"kind":"users.export","parameters":{"contry":"NL"}}""", "parameters.contry")]
    [InlineData("""{"kind":"users.statistics","parameters":{"x":1}}""", "parameters.x")]
    [InlineData("""{"kind":"users.import"}""", "parameters.fileId")]
    [InlineData("""{"kind":"users.import","parameters":{}}""", "parameters.columns")]
    [InlineData("""{"kind":"users.import","parameters":{FILE,"columns":null}}""", "parameters.columns")]
    [InlineData("""{"kind":"users.import","parameters":{FILE,"columns":{"name":"n"}}}""", "parameters.columns.externalId")]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":null}}}""",
        "parameters.columns.externalId"
    )]
    [InlineData("""{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":""}}}""", "parameters.columns.externalId")]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":["a"]}}}""",
        "parameters.columns.externalId"
    )]
    [InlineData("""{"kind":"users.import","parameters":{"fileId":"x","columns":{"name":"n","externalId":"e"}}}""", "parameters.fileId")]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"onExisting":"Delete"}}""",
        "parameters.onExisting"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"onExisting":1}}""",
        "parameters.onExisting"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":";;"}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"encoding":null}}""",
        "parameters.encoding"
    )]
    public async Task Bad_request_names_the_field(string body, string field)
    {
        using var response = await api.Client.SubmitAsync(body.Replace("FILE", File));

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, field);
    }

    [Fact]
    public async Task All_faults_of_the_parameters_are_named_at_once()
    {
        using var response = await api.Client.SubmitAsync(
            """{"kind":"users.import","parameters":{"columns":{"name":5,"x":1},"onExisting":"Delete"}}"""
        );

        var problem = await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest);
        problem
            .GetProperty("errors")
            .EnumerateObject()
            .Select(e => e.Name)
            .ShouldBe(
                [
                    "parameters.fileId",
                    "parameters.columns.externalId",
                    "parameters.columns.name",
                    "parameters.columns.x",
                    "parameters.onExisting",
                ],
                ignoreOrder: true
            );
        problem.ToString().ShouldNotContain("System.");
        problem.ToString().ShouldNotContain("Platform.Contracts");
    }

    [Fact]
    public async Task Unknown_kind_lists_the_known_ones()
    {
        using var response = await api.Client.SubmitAsync("""{"kind":"users.delete"}""");

        var problem = await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "kind");
        problem.GetProperty("errors").GetProperty("kind")[0].GetString()!.ShouldContain("users.export, users.import, users.statistics");
    }

    [Theory]
    [InlineData("", "line 1, byte 1")]
    [InlineData("{", "line 1")]
    [InlineData("{\"kind\":\n\"users.export\",\n  oops}", "line 3, byte 3")]
    [InlineData("""{"kind":"users.export"} {}""", "line 1, byte 25")]
    public async Task Malformed_json_names_the_place(string body, string place)
    {
        using var response = await api.Client.SubmitAsync(body);

        var problem = await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "$");
        problem.GetProperty("errors").GetProperty("$")[0].GetString()!.ShouldContain(place);
    }

    [Fact]
    public async Task Json_nested_deeper_than_any_parameters_is_refused()
    {
        using var response = await api.Client.SubmitAsync(
            $$"""{"kind":"users.export","parameters":{{new string('[', 1000)}}{{new string(']', 1000)}}}"""
        );

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "$");
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData(null)]
    public async Task Other_content_type_is_refused(string? contentType)
    {
        using var content = new ByteArrayContent("""{"kind":"users.statistics"}"""u8.ToArray());
        content.Headers.ContentType = contentType is null ? null : new MediaTypeHeaderValue(contentType);

        using var response = await api.Client.PostAsync("/heavy-tasks", content);

        await response.ShouldBeProblemAsync(HttpStatusCode.UnsupportedMediaType);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Body_over_64_KiB_is_refused(bool chunked)
    {
        var body = """{"kind":"users.statistics"}""" + new string(' ', 64 * 1024);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/heavy-tasks")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.TransferEncodingChunked = chunked;

        using var response = await api.Client.SendAsync(request);

        await response.ShouldBeProblemAsync(HttpStatusCode.RequestEntityTooLarge);
    }

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("tab\there")]
    public async Task Bad_idempotency_key_is_refused(string key)
    {
        using var response = await api.Client.SubmitAsync("""{"kind":"users.statistics"}""", key);

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "Idempotency-Key");
    }

    [Fact]
    public async Task Idempotency_key_beyond_ASCII_is_refused()
    {
        using var handler = new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8 };
        using var client = new HttpClient(handler) { BaseAddress = api.Client.BaseAddress };

        using var response = await client.SubmitAsync("""{"kind":"users.statistics"}""", "clé");

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "Idempotency-Key");
    }

    [Fact]
    public async Task Idempotency_key_over_200_characters_is_refused()
    {
        using var response = await api.Client.SubmitAsync("""{"kind":"users.statistics"}""", new string('k', 201));

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "Idempotency-Key");
    }
}

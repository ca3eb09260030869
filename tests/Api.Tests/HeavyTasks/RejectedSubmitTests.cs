using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Platform.Support;

namespace Platform.Api.Tests.HeavyTasks;

/// <summary>
/// A refused request gets the name of the wrong field and leaves nothing behind: no test of this class writes a task or a message.
/// </summary>
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
    [InlineData("""{"kind":"users.export","\ud800":1}""", "\\ud800")]
    [InlineData("""{"kind":"users.export","maxFailures":0}""", "maxFailures")]
    [InlineData("""{"kind":"users.export","maxFailures":101}""", "maxFailures")]
    [InlineData("""{"kind":"users.export","maxFailures":"5"}""", "maxFailures")]
    [InlineData("""{"kind":"users.export","maxFailures":1.5}""", "maxFailures")]
    [InlineData("""{"kind":"users.export","dueAt":"tomorrow"}""", "dueAt")]
    [InlineData("""{"kind":"users.export","dueAt":"9999-12-31T23:59:59Z"}""", "dueAt")]
    [InlineData("""{"kind":"users.export","parameters":5}""", "parameters")]
    [InlineData("""{"kind":"users.export","parameters":[]}""", "parameters")]
    [InlineData("""{"kind":"users.export","parameters":{"country":""}}""", "parameters.country")]
    [InlineData("""{"kind":"users.export","parameters":{"country":7}}""", "parameters.country")]
    [InlineData("""{"kind":"users.export","parameters":{"country":"\udc00"}}""", "parameters.country")]
    [InlineData("""{"kind":"users.export","parameters":{"\ud800":1}}""", "parameters.\\ud800")]
    [InlineData("""{"kind":"users.export","parameters":{"a\u0000b":1}}""", "parameters.a\\u0000b")]
    [InlineData("""{"kind":"users.export","parameters":{"country":"D\u0000E"}}""", "parameters.country")]
    [InlineData("""{"kind":"users.export","parameters":{"Country":"\ud83dx"}}""", "parameters.Country")]
    [InlineData("""{"kind":"users.export","PARAMETERS":{"x":[{"y":"\u0000"}]}}""", "PARAMETERS.x[0].y")]
    [InlineData("""{"kind":"users.\u0000export"}""", "kind")]
    [InlineData("""{"kind":"users.export","kind":"users.statistics"}""", "kind")]
    [InlineData("""{"kind":"users.export","Kind":"users.export"}""", "Kind")]
    [InlineData("""{"kind":"users.export","k\u0069nd":"users.export"}""", "kind")]
    [InlineData("""{"kind":"users.export","parameters":{"country":"NL","country":"NL"}}""", "parameters.country")]
    [InlineData("""{"kind":"users.export","parameters":{"country":"NL","COUNTRY":"NL"}}""", "parameters.COUNTRY")]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e","name":"m"}}}""",
        "parameters.columns.name"
    )]
    [InlineData("""{"kind":"users.export","MAXFAILURES":0}""", "MAXFAILURES")]
    [InlineData("""{"kind":"users.export","maxFailures":5.5}""", "maxFailures")]
    [InlineData("""{"kind":"users.export","maxFailures":50e-2}""", "maxFailures")]
    [InlineData("""{"kind":"users.export","maxFailures":1e999999999}""", "maxFailures")]
    [InlineData("""{"kind":"users.export","maxFailures":5.0000000000000000000000000000000000000000001}""", "maxFailures")]
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
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"onExisting":"Update,Fail"}}""",
        "parameters.onExisting"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"onExisting":"Skip, Update"}}""",
        "parameters.onExisting"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"onExisting":" Update "}}""",
        "parameters.onExisting"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"onExisting":"1"}}""",
        "parameters.onExisting"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":";;"}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":" "}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":"\""}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":"a"}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":"7"}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":"\n"}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":"\r"}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":"\u0000"}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":"\u00a0"}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":"é"}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":"\u0085"}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":"\ufeff"}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":""}}""",
        "parameters.delimiter"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"encoding":"klingon"}}""",
        "parameters.encoding"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"encoding":"utf-32"}}""",
        "parameters.encoding"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"encoding":"iso-2022-jp"}}""",
        "parameters.encoding"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"encoding":"utf-7"}}""",
        "parameters.encoding"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"encoding":"IBM037"}}""",
        "parameters.encoding"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"encoding":"0"}}""",
        "parameters.encoding"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"encoding":"utf-8\u200b"}}""",
        "parameters.encoding"
    )]
    [InlineData(
        """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"encoding":""}}""",
        "parameters.encoding"
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
    public async Task Texts_name_a_member_as_the_client_wrote_it()
    {
        using var response = await api.Client.SubmitAsync("""{"kind":"users.export","maxFailures":0}""");

        var problem = await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "maxFailures");
        problem.ToString().ShouldContain("The field maxFailures must be between 1 and 100.");
    }

    [Fact]
    public async Task Thousands_of_faults_make_no_long_answer()
    {
        var name = new string('n', 20_000);
        var inner = string.Join(',', Enumerable.Range(0, 2_500).Select(n => $"\"{n}\":\"\\u0000\""));

        using var response = await api.Client.SubmitAsync($$"""{"kind":"users.export","{{name}}":{ {{inner}} } }""");

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest);
        (await response.Content.ReadAsStringAsync()).Length.ShouldBeLessThan(20_000);
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF_8_are_refused()
    {
        using var content = new ByteArrayContent([.. "{\"kind\":\"users.export\",\"parameters\":{\"country\":\"D"u8, 0xFF, .. "\"}}"u8]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");

        using var response = await api.Client.PostAsync("/heavy-tasks", content);

        await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "parameters.country");
    }

    [Theory]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("application/json; charset=\"iso-8859-1\"")]
    [InlineData("application/json; charset=us-ascii")]
    [InlineData("application/json; charset=utf-7")]
    [InlineData("application/json; charset=nonsense")]
    [InlineData("application/json; charset=\"\"")]
    [InlineData("application/json; charset=utf-8; charset=utf-16")]
    public async Task Charset_that_is_not_UTF_8_is_refused(string contentType)
    {
        using var content = new ByteArrayContent("""{"kind":"users.statistics"}"""u8.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", contentType).ShouldBeTrue();

        using var response = await api.Client.PostAsync("/heavy-tasks", content);

        await response.ShouldBeProblemAsync(HttpStatusCode.UnsupportedMediaType);
    }

    [Theory]
    [InlineData("ffffffffffffffff\r\n")]
    [InlineData("fffffff0\r\n")]
    [InlineData("xyz\r\n")]
    [InlineData("-1\r\n")]
    [InlineData("5\r\n{}\r\nzz")]
    public async Task Malformed_chunks_are_the_clients_fault(string chunks)
    {
        foreach (var target in new[] { "/heavy-tasks", "/files?name=a" })
        {
            using var connection = await RawConnection.OpenAsync(api.Client.BaseAddress!);
            await connection.SendAsync(
                $"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}"
            );

            (await connection.ReadHeadersAsync()).ShouldStartWith("HTTP/1.1 4");
        }
    }

    [Fact]
    public async Task Two_idempotency_keys_are_refused()
    {
        // HttpClient would write both into one header.
        using var connection = await RawConnection.OpenAsync(api.Client.BaseAddress!);
        await connection.SendAsync(
            "POST /heavy-tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: a\r\n"
                + "Idempotency-Key: b\r\nContent-Length: 27\r\n\r\n{\"kind\":\"users.statistics\"}"
        );

        (await connection.ReadHeadersAsync()).ShouldStartWith("HTTP/1.1 400 ");
    }

    [Fact]
    public async Task What_can_never_work_is_refused_in_words_of_our_own()
    {
        using var response = await api.Client.SubmitAsync(
            """{"kind":"users.import","parameters":{FILE,"columns":{"name":"n","externalId":"e"},"delimiter":";;","encoding":"utf\u200b8"}}""".Replace(
                "FILE",
                File
            )
        );

        var errors = (await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest)).GetProperty("errors");
        errors
            .GetProperty("parameters.delimiter")[0]
            .GetString()!
            .ShouldStartWith("One character is expected that separates fields, such as");
        errors
            .GetProperty("parameters.encoding")[0]
            .GetString()!
            .ShouldStartWith("'utf\\u200B8' is not an encoding that can be read line by line. Use one of utf-8, utf-16, ");
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
        using var client = new HttpClient(handler) { BaseAddress = api.Client.BaseAddress }.WithTestKey();

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

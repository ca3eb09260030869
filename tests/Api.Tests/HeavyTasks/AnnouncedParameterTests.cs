using System.Net;
using System.Text.Json;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Http;
using Platform.Support;

namespace Platform.Api.Tests.HeavyTasks;

/// <summary>Parameters of kinds that a worker announced: none of these tests writes a task.</summary>
public sealed class AnnouncedParameterTests(ApiFixture fixture) : IClassFixture<ApiFixture>, IAsyncLifetime
{
    private readonly TestApi api = fixture.Api;

    public async ValueTask InitializeAsync() => await AnnounceAsync("reports.print", TestKinds.Schema<PrintParameters>());

    public async ValueTask DisposeAsync() => (await api.Database.CountAsync("heavy_tasks")).ShouldBe(0);

    [Theory]
    [InlineData("{}", "parameters.title", "Required.")]
    [InlineData("""{"title":null}""", "parameters.title", "It cannot be null.")]
    [InlineData("""{"title":" "}""", "parameters.title", "It cannot be blank.")]
    [InlineData("""{"title":7}""", "parameters.title", "A text is expected.")]
    [InlineData("""{"title":"abcdefghijk"}""", "parameters.title", "A text of 1 to 10 characters is expected.")]
    [InlineData("""{"title":"a","titel":"b"}""", "parameters.titel", "There is no such field.")]
    [InlineData("""{"title":"a","Title":"b"}""", "parameters.Title", "It is given more than once.")]
    [InlineData("""{"title":"a","COPIES":0}""", "parameters.COPIES", "A whole number from 1 to 9 is expected.")]
    [InlineData("""{"title":"a","copies":1.5}""", "parameters.copies", "A whole number from 1 to 9 is expected.")]
    [InlineData("""{"title":"a","copies":"1"}""", "parameters.copies", "A whole number from 1 to 9 is expected.")]
    [InlineData(
        """{"title":"a","copies":99999999999999999999999999999999}""",
        "parameters.copies",
        "A whole number from 1 to 9 is expected."
    )]
    [InlineData("""{"title":"a","paper":"A7"}""", "parameters.paper", "One of A4, A5 is expected.")]
    [InlineData("""{"title":"a","paper":1}""", "parameters.paper", "One of A4, A5 is expected.")]
    [InlineData("""{"title":"a","when":"soon"}""", "parameters.when", "A time (ISO 8601) is expected.")]
    [InlineData("""{"title":"a","file":"x"}""", "parameters.file", "A UUID is expected.")]
    [InlineData("""{"title":"a","code":"ab1"}""", "parameters.code", "A text that matches ^(?:[a-z]+)?$ is expected.")]
    [InlineData("""{"title":"a","isColour":"true"}""", "parameters.isColour", "True or false is expected.")]
    [InlineData(
        """{"title":"a","page":{"width":"3"}}""",
        "parameters.page.width",
        "A whole number from -2147483648 to 2147483647 is expected."
    )]
    [InlineData(
        """{"title":"a","page":{"width":2147483648}}""",
        "parameters.page.width",
        "A whole number from -2147483648 to 2147483647 is expected."
    )]
    [InlineData("""{"title":"a","page":{"width":3,"next":{"with":4}}}""", "parameters.page.next.with", "There is no such field.")]
    [InlineData("""{"title":"a","page":{"width":3,"next":{"width":null}}}""", "parameters.page.next.width", "It cannot be null.")]
    [InlineData("""{"title":"a","page":[]}""", "parameters.page", "An object is expected.")]
    [InlineData("""{"title":"a","pages":{}}""", "parameters.pages", "An array is expected.")]
    [InlineData("""{"title":"a","pages":[1,"2",3]}""", "parameters.pages[1]", "A whole number from -2147483648 to 2147483647 is expected.")]
    [InlineData("""{"title":"a","pages":[1,2,3,4]}""", "parameters.pages", "An array of 0 to 3 items is expected.")]
    [InlineData(
        """{"title":"a","marks":{"Top":"x"}}""",
        "parameters.marks.Top",
        "A whole number from -2147483648 to 2147483647 is expected."
    )]
    [InlineData("[]", "parameters", "An object is expected.")]
    public async Task Wrong_parameters_are_refused_by_the_name_that_the_client_wrote(string parameters, string field, string sentence)
    {
        using var response = await api.Client.SubmitAsync($$"""{"kind":"reports.print","parameters":{{parameters}}}""");

        var problem = await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, field);
        problem.GetProperty("errors").EnumerateObject().Single().Name.ShouldBe(field);
        problem.GetProperty("errors").GetProperty(field)[0].GetString().ShouldBe(sentence);
    }

    [Fact]
    public void What_the_record_refuses_or_accepts_by_its_reader_its_schema_refuses_or_accepts()
    {
        // The same record once as a kind of the assembly would be read, and once by its schema.
        var compiled = CompiledSchema.Compile(ParameterSchema.Of(typeof(PrintParameters)).ToJsonString());
        string[] bodies =
        [
            """{"title":"a"}""",
            """{"title":"a","copies":9,"paper":"a5","when":"2030-01-01T00:00:00Z","file":"0199f2a0-0000-7000-8000-000000000001"}""",
            """{"title":"a","code":"","isColour":true,"marks":{"a":1},"pages":[1,2],"any":[{"x":null}],"page":null}""",
            """{"title":"a","code":null,"file":null}""",
            """{"title":"a","copies":null}""",
            """{"title":"a","paper":null}""",
            """{"title":"a","marks":null}""",
            """{"title":"a","pages":null}""",
            """{"title":"a","page":{"next":{"next":{"width":1}}}}""",
            """{"title":"a","page":{"next":{"next":{"wide":1}}}}""",
            """{"title":""}""",
            """{"title":"a","when":7}""",
            """{"copies":1}""",
            """{"title":"a","code":"A"}""",
        ];

        foreach (var body in bodies)
        {
            var (byRecord, bySchema) = (new FieldErrors(), new FieldErrors());
            var json = JsonElement.Parse(body);
            RequestReader.Read(json, RequestJson.Options.GetTypeInfo(typeof(PrintParameters)), "parameters", byRecord);
            compiled.Read(json, "parameters", bySchema);

            Fields(bySchema).ShouldBe(Fields(byRecord), body);
        }

        static string Fields(FieldErrors errors) => string.Join(" ", errors.ToProblem().ProblemDetails.Errors.Keys.Order());
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""{"properties":{"a":{"$ref":"#/properties/b"},"b":{"$ref":"#/properties/a"}}}""")]
    [InlineData("""{"anyOf":[{"$ref":"#"}]}""")]
    [InlineData("""{"$ref":"#/nowhere"}""")]
    [InlineData("""{"properties":{"a":{"$ref":"http://127.0.0.1:1/schema"}}}""")]
    [InlineData("""{"properties":{"a":{"$ref":"file:///etc/hostname"}}}""")]
    [InlineData("""{"type":"thing"}""")]
    [InlineData("""{"properties":{"a":{"pattern":"("}}}""")]
    [InlineData("""{"minimum":1e999}""")]
    [InlineData("""{"allOf":[{"required":["a"]}]}""")]
    public async Task A_schema_that_cannot_be_used_refuses_its_own_kind_and_no_other(string schema)
    {
        var kind = $"broken.{Guid.NewGuid():N}";
        await AnnounceAsync(kind, schema);

        using var response = await api.Client.SubmitAsync($$$"""{"kind":"{{{kind}}}","parameters":{"a":"b"}}""");

        var problem = await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "kind");
        problem.GetProperty("errors").GetProperty("kind")[0].GetString()!.ShouldContain("cannot check");
        (await api.Client.GetJsonAsync("/heavy-tasks/kinds"))
            .EnumerateArray()
            .Single(listed => listed.GetProperty("kind").GetString() == kind)
            .GetProperty("parameters")
            .GetRawText()
            .ShouldBe("{}");
        using var other = await api.Client.SubmitAsync("""{"kind":"reports.print","parameters":{}}""");
        await other.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "parameters.title");
    }

    [Fact]
    public async Task Parameters_that_are_made_to_be_slow_are_answered_at_once()
    {
        // Alternatives that contain themselves twice, and a pattern that backtracks without end.
        await AnnounceAsync(
            "reports.slow",
            """
            {"properties":{"tree":{"anyOf":[
                {"type":"array","items":{"$ref":"#/properties/tree"},"minItems":1},
                {"type":"array","items":{"$ref":"#/properties/tree"},"maxItems":5}]},
             "text":{"pattern":"^(a+)+\\1$"}},"additionalProperties":false}
            """
        );
        var deep = new string('[', 58) + "1" + new string(']', 58);
        var many = string.Join(',', Enumerable.Repeat("\"x\"", 15_000));
        var names = string.Join(',', Enumerable.Range(0, 6_000).Select(number => $"\"a{number}\":0"));
        (string Kind, string Parameters, string Field)[] hostile =
        [
            ("reports.slow", $$"""{"tree":{{deep}}}""", "parameters"),
            ("reports.slow", $$"""{"text":"{{new string('a', 60_000)}}b"}""", "parameters.text"),
            ("reports.print", $$"""{"title":"a","pages":[{{many}}]}""", "parameters.pages"),
            ("reports.print", $$"""{{{names}}}""", "parameters.a0"),
        ];

        foreach (var (kind, parameters, field) in hostile)
        {
            using var response = await api
                .Client.SubmitAsync($$"""{"kind":"{{kind}}","parameters":{{parameters}}}""")
                .WaitAsync(TimeSpan.FromSeconds(10));

            await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, field);
            (await response.Content.ReadAsByteArrayAsync()).Length.ShouldBeLessThan(20_000);
        }
    }

    /// <summary>Announces, and waits until the API knows the kind: it looks for an unknown name at most once a second.</summary>
    private async Task AnnounceAsync(string name, string schema)
    {
        await api.AnnounceAsync(name, "", schema);
        await Eventually.Async(
            async () =>
            {
                using var response = await api.Client.SubmitAsync($$"""{"kind":"{{name}}","parameters":[]}""");
                return !(await response.Content.ReadAsStringAsync()).Contains("There is no such kind", StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(10),
            "the kind is known"
        );
    }
}

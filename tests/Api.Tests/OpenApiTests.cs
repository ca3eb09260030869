using System.Net;
using System.Text.Json;

namespace Platform.Api.Tests;

public sealed class OpenApiTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task Document_describes_every_endpoint_of_the_contract()
    {
        var document = await api.Client.GetJsonAsync("/openapi/v1.json");

        document
            .GetProperty("paths")
            .EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(operation => $"{operation.Name} {path.Name}"))
            .ShouldBe(
                [
                    "post /files",
                    "get /files/{id}",
                    "post /heavy-tasks",
                    "get /heavy-tasks",
                    "get /heavy-tasks/kinds",
                    "post /heavy-tasks/kinds/{kind}/pause",
                    "post /heavy-tasks/kinds/{kind}/resume",
                    "put /heavy-tasks/kinds/{kind}/slots",
                    "post /heavy-tasks/kinds/{kind}/purge",
                    "get /heavy-tasks/{id}",
                    "delete /heavy-tasks/{id}",
                    "get /heavy-tasks/{id}/log",
                    "post /heavy-tasks/{id}/cancel",
                    "post /heavy-tasks/{id}/retry",
                    "get /heavy-tasks/{id}/result",
                    "get /users/{id}",
                    "get /users",
                    "get /services",
                    "post /services/{id}/drain",
                    "post /services/{id}/resume",
                    "get /audit",
                    "post /keys",
                    "get /keys",
                    "delete /keys/{id}",
                ],
                ignoreOrder: true
            );
    }

    [Fact]
    public async Task Every_endpoint_says_what_it_does()
    {
        var document = await api.Client.GetJsonAsync("/openapi/v1.json");

        document
            .GetProperty("paths")
            .EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject())
            .ShouldAllBe(operation => operation.Value.GetProperty("summary").GetString() != "");
    }

    [Fact]
    public async Task Submit_is_described_by_its_own_body_and_header()
    {
        var document = await api.Client.GetJsonAsync("/openapi/v1.json");

        var submit = document.GetProperty("paths").GetProperty("/heavy-tasks").GetProperty("post");
        submit.GetProperty("parameters")[0].GetProperty("name").GetString().ShouldBe("Idempotency-Key");
        submit
            .GetProperty("requestBody")
            .GetProperty("content")
            .GetProperty("application/json")
            .GetProperty("schema")
            .GetProperty("$ref")
            .GetString()!
            .ShouldEndWith("/SubmitHeavyTaskRequest");
        var list = document.GetProperty("paths").GetProperty("/heavy-tasks").GetProperty("get").GetProperty("parameters");
        list.EnumerateArray()
            .Single(p => p.GetProperty("name").GetString() == "limit")
            .GetProperty("schema")
            .GetProperty("maximum")
            .GetInt32()
            .ShouldBe(200);
    }

    [Fact]
    public async Task Parameters_that_must_be_given_are_said_to_be_required()
    {
        var paths = (await api.Client.GetJsonAsync("/openapi/v1.json")).GetProperty("paths");

        Required("/files", "post").ShouldBe(["name"]);
        Required("/users", "get").ShouldBe(["email"]);
        Required("/heavy-tasks", "get").ShouldBeEmpty();
        Required("/heavy-tasks/{id}/result", "get").ShouldBe(["id"]);

        IEnumerable<string?> Required(string path, string method) =>
            paths
                .GetProperty(path)
                .GetProperty(method)
                .GetProperty("parameters")
                .EnumerateArray()
                .Where(p => p.TryGetProperty("required", out var required) && required.GetBoolean())
                .Select(p => p.GetProperty("name").GetString());
    }

    [Fact]
    public async Task Every_answer_of_a_result_is_named()
    {
        var result = (await api.Client.GetJsonAsync("/openapi/v1.json"))
            .GetProperty("paths")
            .GetProperty("/heavy-tasks/{id}/result")
            .GetProperty("get");

        result
            .GetProperty("responses")
            .EnumerateObject()
            .Select(answer => answer.Name)
            .ShouldBe(["200", "206", "304", "401", "403", "404", "412", "416", "429", "500", "503"], ignoreOrder: true);
    }

    [Fact]
    public async Task Enums_are_text_and_null_is_none_of_their_names()
    {
        var schemas = (await api.Client.GetJsonAsync("/openapi/v1.json")).GetProperty("components").GetProperty("schemas");

        foreach (var name in new[] { "HeavyTaskStatus", "AttemptOutcome" })
        {
            schemas.GetProperty(name).GetProperty("type").GetString().ShouldBe("string");
            schemas.GetProperty(name).GetProperty("enum").EnumerateArray().ShouldAllBe(value => value.ValueKind == JsonValueKind.String);
        }
    }

    [Fact]
    public async Task Optional_links_are_not_said_to_be_required()
    {
        var document = await api.Client.GetJsonAsync("/openapi/v1.json");

        var links = document.GetProperty("components").GetProperty("schemas").GetProperty("HeavyTaskLinks");
        links.GetProperty("required").EnumerateArray().Select(n => n.GetString()).ShouldBe(["self"]);
    }

    [Fact]
    public async Task Swagger_UI_is_there()
    {
        using var response = await api.Client.GetAsync("/swagger");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync()).ShouldContain("swagger-ui");
    }

    [Theory]
    [InlineData("GET", "/nothing", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "/heavy-tasks", HttpStatusCode.MethodNotAllowed)]
    public async Task Addresses_that_do_not_exist_are_problems_too(string method, string address, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), address);

        using var response = await api.Client.SendAsync(request);

        await response.ShouldBeProblemAsync(status);
    }

    [Fact]
    public async Task Kinds_come_with_the_schema_of_their_parameters()
    {
        var kinds = await api.Client.GetJsonAsync("/heavy-tasks/kinds");

        kinds
            .EnumerateArray()
            .Select(k => k.GetProperty("kind").GetString())
            .ShouldBe(["users.export", "users.import", "users.statistics"]);
        kinds.EnumerateArray().ShouldAllBe(k => k.GetProperty("description").GetString() != "");
        var import = kinds[1].GetProperty("parameters");
        import.GetProperty("required").EnumerateArray().Select(r => r.GetString()).ShouldBe(["fileId", "columns"]);
        var properties = import.GetProperty("properties");
        properties.GetProperty("fileId").GetProperty("format").GetString().ShouldBe("uuid");
        properties
            .GetProperty("onExisting")
            .GetProperty("enum")
            .EnumerateArray()
            .Select(e => e.GetString())
            .ShouldBe(["Skip", "Update", "Fail"]);
        var externalId = properties.GetProperty("columns").GetProperty("properties").GetProperty("externalId");
        externalId.GetProperty("type").ValueKind.ShouldBe(JsonValueKind.String);
        externalId.GetProperty("maxLength").GetInt32().ShouldBe(200);
        kinds[0]
            .GetProperty("parameters")
            .GetProperty("properties")
            .GetProperty("signedUpFrom")
            .GetRawText()
            .ShouldBe("""{"type":["string","null"],"format":"date-time"}""");
    }
}

using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using NJsonSchema.CodeGeneration.CSharp;
using NSwag;
using NSwag.CodeGeneration.CSharp;
using Platform.Api.Tests.HeavyTasks;

namespace Platform.Api.Tests;

/// <summary>A client that NSwag makes of the OpenAPI document compiles and works.</summary>
public sealed class GeneratedClientTests(ApiFixture fixture) : IClassFixture<ApiFixture>
{
    private readonly TestApi api = fixture.Api;

    [Fact]
    public async Task Generated_client_compiles_and_calls_the_endpoints()
    {
        var types = Compile(await GenerateAsync());
        dynamic client = Activator.CreateInstance(types.Single(t => t.Name == "PlatformClient"), api.Client)!;

        using var content = new MemoryStream([1, 2, 3]);
        var file = await client.UploadFileAsync("in.csv", content);
        ((long)file.Length).ShouldBe(3);
        dynamic request = Activator.CreateInstance(types.Single(t => t.Name == "SubmitHeavyTaskRequest"))!;
        request.Kind = "users.statistics";
        var submitted = await client.SubmitHeavyTaskAsync(null, request);
        ((object)submitted.Status).ToString().ShouldBe("Queued");
        var failed = await api.Client.SubmitTaskAsync();
        await api.FailedAsync(failed);

        var waiting = await client.GetHeavyTaskAsync((Guid)submitted.Id);
        var ended = await client.GetHeavyTaskAsync(failed);
        var page = await client.ListHeavyTasksAsync(null, "users.statistics", null, 1, null, null, null);
        var kinds = await client.ListHeavyTaskKindsAsync();

        ((string)waiting.Kind).ShouldBe("users.statistics");
        ((object)Enumerable.Single(ended.Attempts).Outcome).ToString().ShouldBe("Failed");
        ((int)page.Items.Count).ShouldBe(1);
        ((int)kinds.Count).ShouldBe(3);
        var id = await api.SucceededWithFileAsync([4, 5]);
        using var result = await client.DownloadResultAsync(id);
        ((Stream)result.Stream).ReadByte().ShouldBe(4);
        Exception refused = await Should.ThrowAsync<Exception>(async () => await client.GetHeavyTaskAsync(Guid.NewGuid()));
        ((int)((dynamic)refused).StatusCode).ShouldBe(404);
        ((string)((dynamic)refused).Result.Detail).ShouldContain("There is no task");
    }

    [Fact]
    public async Task No_schema_has_the_name_of_a_type_that_clients_have()
    {
        var document = await api.Client.GetJsonAsync("/openapi/v1.json");

        document
            .GetProperty("components")
            .GetProperty("schemas")
            .EnumerateObject()
            .Select(schema => schema.Name)
            .Intersect(["Response", "Stream", "JsonElement", "JsonNode", "FileResponse", "FileParameter", "ApiException", "Task", "Object"])
            .ShouldBeEmpty();
    }

    private async Task<string> GenerateAsync()
    {
        var document = await NSwag.OpenApiDocument.FromJsonAsync(await api.Client.GetStringAsync("/openapi/v1.json"));
        var settings = new CSharpClientGeneratorSettings
        {
            ClassName = "PlatformClient",
            UseBaseUrl = false,
            CSharpGeneratorSettings =
            {
                Namespace = "Generated",
                JsonLibrary = CSharpJsonLibrary.SystemTextJson,
                GenerateNullableReferenceTypes = true,
            },
        };
        return new CSharpClientGenerator(document, settings).GenerateFile();
    }

    private static Type[] Compile(string code)
    {
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create(
            "Generated",
            [CSharpSyntaxTree.ParseText(code)],
            references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)
        );
        using var assembly = new MemoryStream();

        var result = compilation.Emit(assembly);

        result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).Select(d => $"{d}").ShouldBeEmpty(code);
        assembly.Position = 0;
        return new AssemblyLoadContext("Generated", isCollectible: true).LoadFromStream(assembly).GetTypes();
    }
}

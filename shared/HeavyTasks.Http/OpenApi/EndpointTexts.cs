using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Brings the texts of this package's XML comments into the OpenAPI documents of the application, if it has any. The framework's generator
/// compiles comments into the assembly that calls <c>AddOpenApi</c> and does not read those of packages. So this package calls
/// <c>AddOpenApi</c>, too, and hands on what the call adds.
/// </summary>
internal sealed class EndpointTexts : IConfigureNamedOptions<OpenApiOptions>, IPostConfigureOptions<OpenApiOptions>
{
    public void Configure(string? name, OpenApiOptions options)
    {
        var generated = new ServiceCollection();
        generated.AddOpenApi(name ?? Options.DefaultName, _ => { });
        foreach (var service in generated.Where(s => s.ServiceType == typeof(IConfigureOptions<OpenApiOptions>)))
        {
            ((IConfigureNamedOptions<OpenApiOptions>)service.ImplementationInstance!).Configure(name, options);
        }

        options.AddSchemaTransformer(EndpointSchemas.DescribeAsync);
        options.AddDocumentTransformer(EndpointSecurity.DescribeAsync);
        options.AddOperationTransformer(EndpointSecurity.DescribeAsync);
    }

    // Last, so that the application's own choice of what it shows also holds. HEAD beside each GET would only repeat it.
    public void PostConfigure(string? name, OpenApiOptions options)
    {
        var included = options.ShouldInclude;
        options.ShouldInclude = endpoint => included(endpoint) && !IsHead(endpoint);
        var named = options.CreateSchemaReferenceId;
        options.CreateSchemaReferenceId = type => EndpointSchemas.IsAnyJson(type.Type) ? null : named(type);
    }

    private static bool IsHead(ApiDescription endpoint) =>
        HttpMethods.IsHead(endpoint.HttpMethod ?? "") && endpoint.ActionDescriptor.EndpointMetadata.OfType<HeadRequests.GetAndHead>().Any();

    public void Configure(OpenApiOptions options) => Configure(Options.DefaultName, options);
}

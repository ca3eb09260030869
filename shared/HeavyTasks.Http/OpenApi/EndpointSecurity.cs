using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Platform.HeavyTasks.Http;

/// <summary>Says in the OpenAPI document which endpoints need a key, and how it is sent.</summary>
internal static class EndpointSecurity
{
    private const string Name = "key";

    /// <summary>Describes the header.</summary>
    public static Task DescribeAsync(
        OpenApiDocument document,
        OpenApiDocumentTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
        document.Components.SecuritySchemes[Name] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "A key of this API, which an administrator creates.",
        };
        return Task.CompletedTask;
    }

    /// <summary>Says that an endpoint needs it.</summary>
    public static Task DescribeAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken
    )
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        if (
            !metadata.OfType<IAllowAnonymous>().Any()
            && metadata.OfType<IAuthorizeData>().Any(data => DefaultPolicies.RoleOf(data.Policy) is not null)
        )
        {
            operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Name, context.Document)] = [] }];
        }

        return Task.CompletedTask;
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Platform.HeavyTasks.Http;

/// <summary>Describes the types of these endpoints so that generators make types of them that compile and read what is sent.</summary>
internal static class EndpointSchemas
{
    /// <summary>
    /// Says that an enum is text and which, without null among its names; and that JSON of any form, which is a parameter record, a result or a
    /// schema here, is an object.
    /// </summary>
    public static Task DescribeAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        if (type.IsEnum && type.Assembly == typeof(HeavyTaskStatus).Assembly)
        {
            schema.Type = JsonSchemaType.String;
            schema.Enum = [.. Enum.GetNames(type).Select(name => JsonValue.Create(name))];
        }
        else if (IsAnyJson(type) && context.JsonPropertyInfo?.DeclaringType.Assembly == typeof(EndpointSchemas).Assembly)
        {
            schema.Type = context.JsonPropertyInfo.IsGetNullable ? JsonSchemaType.Object | JsonSchemaType.Null : JsonSchemaType.Object;
            schema.OneOf = null;
        }

        return Task.CompletedTask;
    }

    /// <summary>Whether values of the type are JSON of any form. A schema of this name would hide the type that a client has for it.</summary>
    public static bool IsAnyJson(Type type) =>
        (Nullable.GetUnderlyingType(type) ?? type) == typeof(JsonElement) || typeof(JsonNode).IsAssignableFrom(type);
}

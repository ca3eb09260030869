using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// An answer that is written with <see cref="EndpointJson"/>. The OpenAPI document describes it like the framework's result of the same
/// name.
/// </summary>
internal abstract class JsonAnswer<T>(int status, T value, string? location) : IResult
{
    private static readonly JsonTypeInfo<T> Type = (JsonTypeInfo<T>)EndpointJson.Options.GetTypeInfo(typeof(T));

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = status;
        if (location is not null)
        {
            response.Headers[HeaderNames.Location] = location;
        }

        return response.WriteAsJsonAsync(value, Type);
    }

    protected static void Describe<TFramework>(MethodInfo method, EndpointBuilder builder)
        where TFramework : IEndpointMetadataProvider => TFramework.PopulateMetadata(method, builder);
}

/// <summary>Creates answers.</summary>
internal static class JsonAnswer
{
    public static JsonOk<T> Ok<T>(T value) => new(value);

    public static JsonCreated<T> Created<T>(string location, T value) => new(location, value);

    public static JsonAccepted<T> Accepted<T>(string location, T value) => new(location, value);
}

/// <summary>Status 200.</summary>
internal sealed class JsonOk<T>(T value) : JsonAnswer<T>(StatusCodes.Status200OK, value, location: null), IEndpointMetadataProvider
{
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) => Describe<Ok<T>>(method, builder);
}

/// <summary>Status 201 with the address of the new resource.</summary>
internal sealed class JsonCreated<T>(string location, T value)
    : JsonAnswer<T>(StatusCodes.Status201Created, value, location),
        IEndpointMetadataProvider
{
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) => Describe<Created<T>>(method, builder);
}

/// <summary>Status 202 with the address where the client can follow the task.</summary>
internal sealed class JsonAccepted<T>(string location, T value)
    : JsonAnswer<T>(StatusCodes.Status202Accepted, value, location),
        IEndpointMetadataProvider
{
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) => Describe<Accepted<T>>(method, builder);
}

/// <summary>
/// Defines how these endpoints write JSON, whatever options the application has: camelCase, enums by name, numbers as numbers, and null for
/// what is absent. So a client of the endpoints works with every application.
/// </summary>
internal static class EndpointJson
{
    /// <summary>The options that answers are written with.</summary>
    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>
    /// Makes the OpenAPI document show the types of these endpoints as these endpoints write them. The document would otherwise describe
    /// every type by the application's options. The application's own types do not change.
    /// </summary>
    public static void Describe(JsonSerializerOptions application) => application.TypeInfoResolverChain.Insert(0, new OwnTypes());

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            TypeInfoResolver = JsonTypeInfoResolver.Combine(new OwnTypes(), new DefaultJsonTypeInfoResolver()),
        };
        options.MakeReadOnly();
        return options;
    }

    private sealed class OwnTypes : IJsonTypeInfoResolver
    {
        private readonly DefaultJsonTypeInfoResolver any = new();

        public JsonTypeInfo? GetTypeInfo(Type type, JsonSerializerOptions options)
        {
            if (type.Assembly != typeof(EndpointJson).Assembly && type != typeof(ConnectionHolder))
            {
                return null;
            }

            var info = any.GetTypeInfo(type, options);
            if (info.Kind == JsonTypeInfoKind.Object)
            {
                info.NumberHandling = JsonNumberHandling.Strict;
                foreach (var property in info.Properties)
                {
                    property.Name = JsonNamingPolicy.CamelCase.ConvertName(((MemberInfo)property.AttributeProvider!).Name);
                }
            }

            return info;
        }
    }
}

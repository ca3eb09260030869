using System.Reflection;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Platform.Contracts;

namespace Platform.HeavyTasks.Http;

/// <summary>Registers the services that the endpoints of heavy tasks and files need.</summary>
public static class HeavyTaskEndpointServices
{
    /// <summary>
    /// Adds what <see cref="HeavyTaskEndpoints"/> need. The API accepts the kinds of these assemblies: every record in them with a
    /// <see cref="HeavyTaskKindAttribute"/>. It also accepts the kinds that workers announce, unless
    /// <see cref="SubmitHeavyTaskOptions.AcceptAnnouncedKinds"/> is off. The endpoints use the context that was registered by
    /// <see cref="HeavyTaskServiceCollectionExtensions.AddHeavyTaskDatabase{TDbContext}"/> or
    /// <see cref="HeavyTaskServiceCollectionExtensions.AddHeavyTaskSubmission{TDbContext}"/>. The application's JSON options still apply to
    /// its own types.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// An assembly has no kind, two records are of the same kind, or this was called before.
    /// </exception>
    public static IServiceCollection AddHeavyTaskEndpoints(this IServiceCollection services, params Assembly[] kinds)
    {
        ArgumentNullException.ThrowIfNull(kinds);
        var types = new List<Type>();
        foreach (var assembly in kinds)
        {
            var found = assembly.GetTypes().Where(type => type.IsDefined(typeof(HeavyTaskKindAttribute), inherit: false)).ToList();
            types.AddRange(
                found.Count > 0
                    ? found
                    : throw new InvalidOperationException($"{assembly.GetName().Name} has no record with a HeavyTaskKind attribute.")
            );
        }

        return services.AddHeavyTaskEndpoints(types);
    }

    /// <summary>
    /// Adds what <see cref="HeavyTaskEndpoints"/> need. The API accepts the kinds of these records, and those that workers
    /// announce, unless <see cref="SubmitHeavyTaskOptions.AcceptAnnouncedKinds"/> is off. With neither, only code can submit tasks.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// A type has no <see cref="HeavyTaskKindAttribute"/>, two records are of the same kind, or this was called before.
    /// </exception>
    public static IServiceCollection AddHeavyTaskEndpoints(this IServiceCollection services, IEnumerable<Type> kinds)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(kinds);
        if (services.Any(service => service.ServiceType == typeof(AcceptedKinds)))
        {
            throw new InvalidOperationException("AddHeavyTaskEndpoints was called before: one call names all kinds.");
        }

        RequestBody.RefuseTruncated();
        services.AddSingleton(new AcceptedKinds(kinds));
        services.AddSingleton<AnnouncedKinds>();
        services.AddSingleton<KnownKinds>();
        services.AddOptions<SubmitHeavyTaskOptions>().BindConfiguration("HeavyTasks").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<FileUploadOptions>().BindConfiguration("Files").ValidateDataAnnotations().ValidateOnStart();
        services
            .AddOptions<AllowedOriginsOptions>()
            .BindConfiguration("HeavyTasks")
            .Validate(options => options.AreOrigins(), "HeavyTasks:AllowedOrigins is a list of origins such as https://shop.example.")
            .ValidateOnStart();
        services.AddSingleton<KnownKeys>();

        // Not AddAuthentication: it would also make keys for cookies, which this scheme has none of, and write them to a folder.
        services.AddAuthenticationCore(schemes => schemes.AddScheme<ApiKeyHandler>(ApiKeyHandler.SchemeName, displayName: null));
        services.AddTransient<ApiKeyHandler>();
        services.AddWebEncoders();
        services.AddSingleton<IPostConfigureOptions<AuthenticationOptions>, DefaultScheme>();

        // The framework tells of each request without a key, at the level of information.
        services.AddLogging(logging => logging.AddFilter(typeof(ApiKeyHandler).FullName, LogLevel.Warning));
        services.AddAuthorization();
        services.AddSingleton<IPostConfigureOptions<AuthorizationOptions>, DefaultPolicies>();
        services.AddProblemDetails();
        services.AddOptions<AccessOptions>().BindConfiguration("Access").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ClientLimits>();
        services.AddSingleton<WaitingTasks>();
        services.AddMetrics();
        services.AddSingleton<GroupCommit>();
        services.AddFileStore();
        services.AddSingleton<FileTransfers>();
        services.Configure<RouteOptions>(options => options.SetParameterPolicy<UuidConstraint>(UuidConstraint.Name));
        services.ConfigureHttpJsonOptions(options => EndpointJson.Describe(options.SerializerOptions));
        services.AddSingleton<IConfigureOptions<OpenApiOptions>, EndpointTexts>();
        services.AddSingleton<IPostConfigureOptions<OpenApiOptions>, EndpointTexts>();
        return services;
    }
}

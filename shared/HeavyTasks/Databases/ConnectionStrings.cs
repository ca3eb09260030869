using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks;

/// <summary>Finds the connection strings of a service by <see cref="DatabaseOptions.ConnectionName"/>.</summary>
internal static class ConnectionStrings
{
    /// <summary>The connection string with this name.</summary>
    /// <exception cref="InvalidOperationException">The connection string is not set.</exception>
    public static string Of(IConfiguration configuration, string name = DatabaseOptions.DefaultConnectionName) =>
        configuration.GetConnectionString(name) is { Length: > 0 } connectionString
            ? connectionString
            : throw new InvalidOperationException(
                $"ConnectionStrings:{name} is not set; set it (environment: ConnectionStrings__{name}) to the database's connection string."
            );

    internal static string Of(IServiceProvider provider) =>
        Of(provider.GetRequiredService<IConfiguration>(), provider.GetRequiredService<IOptions<DatabaseOptions>>().Value.ConnectionName);

    /// <summary>
    /// The connection string that reaches the server itself, past a pooler: <c>&lt;name&gt;Direct</c>, or the ordinary one if that is not
    /// set.
    /// </summary>
    internal static string DirectOf(IConfiguration configuration, DatabaseOptions options) =>
        configuration.GetConnectionString($"{options.ConnectionName}Direct") is { Length: > 0 } direct
            ? direct
            : Of(configuration, options.ConnectionName);
}

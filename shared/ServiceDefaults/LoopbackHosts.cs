using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Platform.ServiceDefaults;

/// <summary>
/// Answers a process that listens on loopback only to names of loopback. A web page can give its own name the address 127.0.0.1 (DNS
/// rebinding); for the browser the service then belongs to that page, which reads everything. Such a request bears the page's name.
/// </summary>
internal static class LoopbackHosts
{
    /// <summary>The setting that names the hosts, separated by semicolons; <c>*</c> is any. It is the framework's own.</summary>
    public const string Key = "AllowedHosts";

    private const string Names = "localhost;*.localhost;127.0.0.1;[::1]";

    /// <summary>
    /// Sets <see cref="Key"/> unless it is set, when every address to listen on is of loopback. Call it when the addresses are known. A host
    /// that is not allowed is answered with a problem document, 400.
    /// </summary>
    public static void RestrictHostsOnLoopback(this WebApplicationBuilder builder)
    {
        if (
            string.IsNullOrWhiteSpace(builder.Configuration[Key])
            && ListenedHosts(builder.Configuration) is var hosts
            && hosts.All(IsLoopback)
        )
        {
            builder.Configuration[Key] = string.Join(';', hosts.Select(NameOf).Prepend(Names).Distinct());
        }

        builder.Services.Configure<HostFilteringOptions>(options => options.IncludeFailureMessage = false);

        // The framework's filter comes before everything else; this must be around it.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, RefusalFilter>());
    }

    private static List<string> ListenedHosts(ConfigurationManager configuration)
    {
        // Kestrel's own section has the last word.
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(endpoint => endpoint["Url"] ?? "").ToList();
        var urls = endpoints.Count > 0 ? endpoints : [.. $"{configuration[WebHostDefaults.ServerUrlsKey]}".Split(';')];
        return [.. urls.Where(url => url.Contains("://", StringComparison.Ordinal)).Select(url => BindingAddress.Parse(url).Host)];
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address);

    private static string NameOf(string host) => host.Contains(':') && !host.StartsWith('[') ? $"[{host}]" : host;

    private sealed class RefusalFilter : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
            app =>
            {
                app.UseStatusCodePages(async pages =>
                {
                    var http = pages.HttpContext;
                    if (http.Response.StatusCode == StatusCodes.Status400BadRequest)
                    {
                        await TypedResults
                            .Problem(
                                statusCode: StatusCodes.Status400BadRequest,
                                detail: $"This host is not allowed; the setting {Key} names those that are."
                            )
                            .ExecuteAsync(http);
                    }
                });
                next(app);
            };
    }
}

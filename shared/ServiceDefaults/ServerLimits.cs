using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;

namespace Platform.ServiceDefaults;

/// <summary>
/// What one connection and one request may cost a service before it knows who asks. Section <c>Kestrel:Limits</c> overrides each; the
/// framework reads its section's endpoints only.
/// </summary>
internal static class ServerLimits
{
    private const string Section = "Kestrel:Limits";

    // All bodies but uploads are held in memory; the longest of them is a submit, whose own limit is smaller.
    private const long MaxBodyBytes = 1024 * 1024;

    /// <summary>Sets the limits of the server.</summary>
    public static void LimitRequests(this WebApplicationBuilder builder) =>
        builder.WebHost.ConfigureKestrel(
            (context, server) =>
            {
                // The name of the server is of use to nobody but whoever looks for its faults.
                server.AddServerHeader = false;
                var limits = server.Limits;
                SetDefaults(limits);
                var section = context.Configuration.GetSection(Section);
                section.Bind(limits);
                limits.MinRequestBodyDataRate = RateOf(section, nameof(limits.MinRequestBodyDataRate)) ?? limits.MinRequestBodyDataRate;
                limits.MinResponseDataRate = RateOf(section, nameof(limits.MinResponseDataRate)) ?? limits.MinResponseDataRate;
            }
        );

    private static void SetDefaults(KestrelServerLimits limits)
    {
        // For whoever opens connections and says little.
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        limits.KeepAliveTimeout = TimeSpan.FromMinutes(2);
        limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
        limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
        limits.MaxConcurrentConnections = 10_000;
        limits.MaxConcurrentUpgradedConnections = 1_000;

        // For whoever says much. Cookies of single sign-on and tokens have some thousand bytes.
        limits.MaxRequestLineSize = 8 * 1024;
        limits.MaxRequestHeaderCount = 64;
        limits.MaxRequestHeadersTotalSize = 32 * 1024;
        limits.MaxRequestBodySize = MaxBodyBytes;

        limits.Http2.MaxStreamsPerConnection = 100;
        limits.Http2.MaxRequestHeaderFieldSize = 16 * 1024;
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
    }

    // The binder cannot make one from an object that it cannot change.
    private static MinDataRate? RateOf(IConfiguration limits, string name)
    {
        var rate = limits.GetSection(name);
        return rate.GetValue<double?>(nameof(MinDataRate.BytesPerSecond)) is { } bytes
            ? new MinDataRate(bytes, rate.GetValue<TimeSpan?>(nameof(MinDataRate.GracePeriod)) ?? TimeSpan.FromSeconds(5))
            : null;
    }
}

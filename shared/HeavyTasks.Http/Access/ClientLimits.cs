using System.Globalization;
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// What each client may ask of this process (<see cref="AccessOptions"/>). Limits of clients that have been idle for a while are forgotten.
/// </summary>
internal sealed class ClientLimits : IDisposable
{
    // A second's worth of requests arrives in steps of this length.
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    private readonly PartitionedRateLimiter<string> refusals = PartitionedRateLimiter.Create<string, string>(client =>
        RateLimitPartition.GetTokenBucketLimiter(
            client,
            _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = 10,
                TokensPerPeriod = 1,
                ReplenishmentPeriod = TimeSpan.FromSeconds(10),
            }
        )
    );

    private readonly PartitionedRateLimiter<string>? requests;
    private readonly PartitionedRateLimiter<string>? uploads;
    private readonly PartitionedRateLimiter<string>? downloads;

    public ClientLimits(IOptions<AccessOptions> options)
    {
        var (perSecond, transfers) = (options.Value.MaxRequestsPerSecond, options.Value.MaxTransfers);
        if (perSecond > 0)
        {
            // The period says the rate where a step would hand out less than one request.
            var period = perSecond * Step.TotalSeconds >= 1 ? Step : TimeSpan.FromSeconds(1.0 / perSecond);
            requests = PartitionedRateLimiter.Create<string, string>(client =>
                RateLimitPartition.GetTokenBucketLimiter(
                    client,
                    _ => new TokenBucketRateLimiterOptions
                    {
                        TokenLimit = perSecond,
                        TokensPerPeriod = Math.Max(1, (int)Math.Round(perSecond * period.TotalSeconds)),
                        ReplenishmentPeriod = period,
                    }
                )
            );
        }

        if (transfers > 0)
        {
            (uploads, downloads) = (Concurrent(transfers), Concurrent(transfers));
        }
    }

    /// <summary>Takes one request of the client; how long to wait when it sends too many, else null.</summary>
    public TimeSpan? TakeRequest(ClaimsPrincipal client)
    {
        if (requests is null)
        {
            return null;
        }

        using var lease = requests.AttemptAcquire(IdOf(client));
        return lease.IsAcquired ? null
            : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait
            : TimeSpan.FromSeconds(1);
    }

    /// <summary>
    /// Whether one more refusal of the client may be recorded: ten at once and then one every ten seconds, so that nobody fills the table
    /// with what it may not do.
    /// </summary>
    public bool MayRecordRefusal(ClaimsPrincipal client)
    {
        using var lease = refusals.AttemptAcquire(IdOf(client));
        return lease.IsAcquired;
    }

    /// <summary>Begins an upload, which lasts until the lease is disposed; a lease that was not acquired when there are too many.</summary>
    public RateLimitLease? BeginUpload(ClaimsPrincipal client) => uploads?.AttemptAcquire(IdOf(client));

    /// <summary>Begins a download likewise.</summary>
    public RateLimitLease? BeginDownload(ClaimsPrincipal client) => downloads?.AttemptAcquire(IdOf(client));

    /// <summary>The answer to one too many.</summary>
    public static ProblemHttpResult TooMany(HttpResponse response, TimeSpan wait, string detail)
    {
        response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return TypedResults.Problem(detail, statusCode: StatusCodes.Status429TooManyRequests);
    }

    public void Dispose()
    {
        refusals.Dispose();
        requests?.Dispose();
        uploads?.Dispose();
        downloads?.Dispose();
    }

    private static PartitionedRateLimiter<string> Concurrent(int limit) =>
        PartitionedRateLimiter.Create<string, string>(client =>
            RateLimitPartition.GetConcurrencyLimiter(client, _ => new ConcurrencyLimiterOptions { PermitLimit = limit })
        );

    // Clients that nobody knows, where the application lets them in, share one limit.
    private static string IdOf(ClaimsPrincipal client) => client.FindFirst(ClaimTypes.NameIdentifier)?.Value ?? "";
}

/// <summary>Adds the limit of requests to endpoints.</summary>
public static class ClientLimitEndpoints
{
    /// <summary>
    /// Counts the requests of each client against <see cref="AccessOptions.MaxRequestsPerSecond"/>, before the endpoint reads anything of them.
    /// The endpoints of heavy tasks do it already; with this, those of the application share the limit.
    /// </summary>
    public static TBuilder LimitRequests<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder
    {
        endpoints.Add(endpoint =>
        {
            var next = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = http =>
                http.User.HasUnusableTenant()
                    ? TypedResults
                        .Problem(
                            "The tenant of this client is none: 1 to 64 letters, digits, '.', '_' and '-'.",
                            statusCode: StatusCodes.Status403Forbidden
                        )
                        .ExecuteAsync(http)
                : http.RequestServices.GetRequiredService<ClientLimits>().TakeRequest(http.User) is { } wait
                    ? ClientLimits
                        .TooMany(http.Response, wait, "This client sends too many requests (Access:MaxRequestsPerSecond). Try again.")
                        .ExecuteAsync(http)
                : next(http);
        });
        return endpoints;
    }
}

using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Platform.HeavyTasks.Http;

/// <summary>
/// Knows clients by the key that they send, <c>Authorization: Bearer platform_...</c>, and tells those it does not let in why.
/// </summary>
internal sealed partial class ApiKeyHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    KnownKeys keys,
    IServiceScopeFactory scopes,
    TimeProvider time,
    IProblemDetailsService problems,
    BearerTokens? tokens = null
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    /// <summary>The name of the scheme.</summary>
    public const string SchemeName = "HeavyTasks.ApiKey";

    private const string Bearer = "Bearer ";

    private static readonly TimeSpan TokenTimeout = TimeSpan.FromSeconds(10);

    // Compared with when there is no such key, so that the answer takes as long.
    private static readonly byte[] NoHash = new byte[SHA256.HashSizeInBytes];

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // What answers everybody does not wait for the keys, whatever header a prober sends.
        if (Context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            return AuthenticateResult.NoResult();
        }

        var headers = Request.Headers.Authorization;
        if (headers.Count == 0)
        {
            return AuthenticateResult.NoResult();
        }

        if (headers is not [{ } header] || !header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return Refused("Authorization: \"Bearer\" and a key are expected.");
        }

        var text = header[Bearer.Length..].Trim();
        if (!ApiKeys.TryRead(text, out var id, out var secretHash))
        {
            return tokens is not null && !ApiKeys.LooksLikeKey(text)
                ? await ReadTokenAsync(tokens)
                : Refused("What Authorization contains is not a key of this API.");
        }

        ApiKey? key;
        try
        {
            key = await keys.FindAsync(id, Context.RequestAborted);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !Context.RequestAborted.IsCancellationRequested)
        {
            return AuthenticateResult.Fail(new UnavailableException("The database did not answer in time. Try again.", exception));
        }

        var isRight = CryptographicOperations.FixedTimeEquals(secretHash, key?.SecretHash ?? NoHash);
        if (key is null || !isRight || key.ExpiresAt <= time.GetUtcNow().UtcDateTime)
        {
            return Refused("The key is not known, has ended, or was revoked.");
        }

        keys.Used(key);
        var identity = KeyIdentity.Of(key, SchemeName);
        return AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(identity), SchemeName));
    }

    private async Task<AuthenticateResult> ReadTokenAsync(BearerTokens reader)
    {
        try
        {
            // The reader asks the provider for its keys, one request after the other.
            var read = await Context.AuthenticateAsync(reader.SchemeName).WaitAsync(TokenTimeout, time, Context.RequestAborted);
            if (read.Succeeded)
            {
                var client = new ClaimsPrincipal(reader.Provider.Read(read.Principal, SchemeName));
                return AuthenticateResult.Success(new AuthenticationTicket(client, SchemeName));
            }

            return IsOutage(read.Failure)
                ? ProviderIsAway(read.Failure!)
                : Refused("The token is not valid here: it has ended, or is meant for others.");
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !Context.RequestAborted.IsCancellationRequested)
        {
            return ProviderIsAway(exception);
        }
    }

    private static bool IsOutage(Exception? failure) =>
        failure is HttpRequestException or IOException or TimeoutException or OperationCanceledException
        || (failure?.InnerException is { } inner && IsOutage(inner));

    private static AuthenticateResult ProviderIsAway(Exception exception) =>
        AuthenticateResult.Fail(new UnavailableException("The identity provider did not answer in time. Try again.", exception));

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var failure = (await HandleAuthenticateOnceSafeAsync()).Failure;
        if (failure is UnavailableException unavailable)
        {
            Unavailable(Logger, Request.Method, LoggedText.Of($"{Request.Path}"), LoggedText.Of(unavailable.GetBaseException().Message));
            Response.Headers.RetryAfter = "1";
            await WriteAsync(StatusCodes.Status503ServiceUnavailable, unavailable.Detail);
            return;
        }

        Response.Headers.WWWAuthenticate = "Bearer";
        await WriteAsync(
            StatusCodes.Status401Unauthorized,
            failure?.Message ?? "A key is needed: the header Authorization with \"Bearer\" and the key."
        );
    }

    protected override async Task HandleForbiddenAsync(AuthenticationProperties properties)
    {
        await RecordAsync();
        var policies = Context.GetEndpoint()?.Metadata.GetOrderedMetadata<IAuthorizeData>() ?? [];
        var role = policies.Select(data => DefaultPolicies.RoleOf(data.Policy)).FirstOrDefault(needed => needed is not null);
        var needed = role is null ? "another key" : $"a key with the role {HeavyTaskRoles.NamesOf(role.Value).Single()}";
        var has = Context.User.FindAll(HeavyTaskPolicies.RoleClaim).Select(claim => claim.Value);
        await WriteAsync(
            StatusCodes.Status403Forbidden,
            role is not null && Context.User.HasClaim(HeavyTaskPolicies.RoleClaim, HeavyTaskRoles.NamesOf(role.Value).Single())
                ? "This is for keys without a tenant."
                : $"This needs {needed}; this key has {string.Join(", ", has)}."
        );
    }

    // Who tries to change what it may not; to read is no action. The refusal waits for the statement, as long as statements may take, and
    // is given whether it could be recorded or not.
    private async Task RecordAsync()
    {
        if (HttpMethods.IsGet(Request.Method) || HttpMethods.IsHead(Request.Method))
        {
            return;
        }

        try
        {
            await using var scope = scopes.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
            db.Record(Actor.Of(Context), $"{Request.RouteValues["id"] ?? Request.RouteValues["kind"]}", AuditOutcome.Forbidden);
            await db.SaveChangesAsync(Context.RequestAborted);
        }
        catch (Exception exception)
        {
            NotRecorded(Logger, LoggedText.Of(exception.GetBaseException().Message));
        }
    }

    private static AuthenticateResult Refused(string reason) => AuthenticateResult.Fail(new KeyRefusedException(reason));

    private async Task WriteAsync(int status, string detail)
    {
        Response.StatusCode = status;
        await problems.TryWriteAsync(
            new ProblemDetailsContext { HttpContext = Context, ProblemDetails = { Status = status, Detail = detail } }
        );
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Who sends {Method} {Path} could not be looked up: {Reason}")]
    private static partial void Unavailable(ILogger logger, string method, string path, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A request that was refused could not be recorded: {Reason}")]
    private static partial void NotRecorded(ILogger logger, string reason);

    private sealed class KeyRefusedException(string reason) : Exception(reason);

    private sealed class UnavailableException(string detail, Exception cause) : Exception(cause.Message, cause)
    {
        public string Detail => detail;
    }
}

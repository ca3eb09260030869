using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Knows people by the API key with which they signed in, and whether that key is still valid.</summary>
internal sealed partial class KeySessions(KnownKeys keys, TimeProvider time, ILogger<KeySessions> logger)
{
    /// <summary>The scheme of the cookie.</summary>
    public const string SchemeName = "HeavyTasks.Dashboard";

    /// <summary>How long a session lasts.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromHours(12);

    private const string SessionClaim = "heavy-tasks:session";
    private const string EndClaim = "heavy-tasks:session-end";

    // A page asks several times before it is there.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FailureCounts = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<string, DateTimeOffset> signedOut = new(StringComparer.Ordinal);
    private long? failedAt;

    private static readonly byte[] NoHash = new byte[SHA256.HashSizeInBytes];

    /// <summary>Who holds a key; null when the key is not valid.</summary>
    public async Task<ClaimsPrincipal?> SignInAsync(string text, CancellationToken cancellationToken)
    {
        // The last word: the whole line of the header may be pasted.
        if (
            !ApiKeys.TryRead(
                text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "",
                out var id,
                out var secretHash
            )
        )
        {
            return null;
        }

        var key = await keys.FindAsync(id, cancellationToken);
        var isRight = CryptographicOperations.FixedTimeEquals(secretHash, key?.SecretHash ?? NoHash);
        if (key is null || !isRight || HasEnded(key))
        {
            return null;
        }

        keys.Used(key);
        return new ClaimsPrincipal(KeyIdentity.Of(key, SchemeName));
    }

    /// <summary>Gives a session its id and its end.</summary>
    public void Begin(ClaimsIdentity identity, DateTimeOffset? until)
    {
        var end = until ?? time.GetUtcNow() + Length;
        identity.AddClaim(new Claim(SessionClaim, $"{Guid.NewGuid():N}"));
        identity.AddClaim(new Claim(EndClaim, end.ToString("O", CultureInfo.InvariantCulture)));
    }

    /// <summary>Whether somebody has signed in to the dashboard, and can sign out.</summary>
    public static bool IsSession(ClaimsPrincipal user) => user.HasClaim(claim => claim.Type == SessionClaim);

    /// <summary>Ends a session on this instance: pages that are open, and cookies that were copied.</summary>
    public void SignOut(ClaimsPrincipal user)
    {
        var now = time.GetUtcNow();
        foreach (var (ended, until) in signedOut)
        {
            if (until < now)
            {
                signedOut.TryRemove(ended, out _);
            }
        }

        if (user.FindFirst(SessionClaim)?.Value is { } session)
        {
            signedOut[session] = now + Length;
        }
    }

    /// <summary>
    /// Whether the session of somebody goes on, and the key with which it began is still valid; always true of clients that the application
    /// knows otherwise.
    /// </summary>
    /// <param name="user">Who.</param>
    /// <param name="unknown">
    /// The answer while the database does not say: true for what only looks, because nothing can be read then, and a page that signs everybody
    /// out would say less; false for what changes something.
    /// </param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<bool> IsValidAsync(ClaimsPrincipal user, bool unknown, CancellationToken cancellationToken)
    {
        if (user.Identity is not ClaimsIdentity { IsAuthenticated: true } identity)
        {
            return true;
        }

        // Whoever the application knows by a scheme of its own has no session here.
        var isByKey = identity.AuthenticationType == SchemeName;
        if (identity.FindFirst(SessionClaim) is not { } session)
        {
            return !isByKey;
        }

        if (
            signedOut.ContainsKey(session.Value)
            || !DateTimeOffset.TryParse(identity.FindFirst(EndClaim)?.Value, CultureInfo.InvariantCulture, out var end)
            || end < time.GetUtcNow()
        )
        {
            return false;
        }

        if (!isByKey)
        {
            return true;
        }

        if (failedAt is { } failed && time.GetElapsedTime(failed) < FailureCounts)
        {
            return unknown;
        }

        try
        {
            var id = identity.FindFirst(ClaimTypes.NameIdentifier)?.Value ?? "";
            return await keys.FindAsync(id, cancellationToken).AsTask().WaitAsync(Patience, time, cancellationToken) is { } key
                && !HasEnded(key);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            failedAt = time.GetTimestamp();
            NotChecked(logger, LoggedText.Of(exception.GetBaseException().Message));
            return unknown;
        }
    }

    private bool HasEnded(ApiKey key) => key.ExpiresAt <= time.GetUtcNow().UtcDateTime;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Whether a key is still valid could not be looked up: {Reason}")]
    private static partial void NotChecked(ILogger logger, string reason);
}

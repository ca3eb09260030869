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

    /// <summary>
    /// Whether the key with which somebody signed in is still valid; always true of clients that the application knows otherwise. While the
    /// database does not answer, a key counts as valid: nothing can be read or done then, and a page that signs everybody out would say less.
    /// </summary>
    public async Task<bool> IsValidAsync(ClaimsPrincipal user, CancellationToken cancellationToken)
    {
        if (user.Identity is not ClaimsIdentity { AuthenticationType: SchemeName } identity)
        {
            return true;
        }

        try
        {
            var id = identity.FindFirst(ClaimTypes.NameIdentifier)?.Value ?? "";
            return await keys.FindAsync(id, cancellationToken) is { } key && !HasEnded(key);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            NotChecked(logger, LoggedText.Of(exception.GetBaseException().Message));
            return true;
        }
    }

    private bool HasEnded(ApiKey key) => key.ExpiresAt <= time.GetUtcNow().UtcDateTime;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Whether a key is still valid could not be looked up: {Reason}")]
    private static partial void NotChecked(ILogger logger, string reason);
}

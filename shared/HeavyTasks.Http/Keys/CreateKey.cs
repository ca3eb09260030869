using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Platform.HeavyTasks.Http;

internal static class CreateKey
{
    /// <summary>The longest body, in bytes.</summary>
    public const int MaxLength = 4096;

    private static readonly JsonTypeInfo RequestType = RequestJson.Options.GetTypeInfo(typeof(CreateKeyRequest));

    /// <summary>Creates a key for a client. The answer is the only place where the key itself is shown.</summary>
    public static async Task<Results<JsonCreated<CreatedKey>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        HttpRequest http,
        EngineContext engine,
        LinkGenerator links,
        TimeProvider time
    )
    {
        if (RequestBody.OpenJson(http, out var body) is { } refusal)
        {
            return refusal;
        }

        var errors = new FieldErrors();
        var now = time.GetUtcNow().UtcDateTime;
        var json = await RequestJson.ReadAsync(body, MaxLength, errors, http.HttpContext.RequestAborted);
        var request = json is null ? null : (CreateKeyRequest?)RequestReader.Read(json.Value, RequestType, path: "", errors);
        var roles = request is null ? HeavyTaskRole.None : Check(request, json!.Value, now, errors);
        if (errors.Any)
        {
            return errors.ToProblem();
        }

        if (await ApiKeys.IsFullAsync(engine.Db, http.HttpContext.RequestAborted))
        {
            return TypedResults.Problem(ApiKeys.Full, statusCode: StatusCodes.Status409Conflict);
        }

        var (row, key) = ApiKeys.New(request!.Name, roles, request.Tenant ?? Tenants.None, now, request.ExpiresAtUtc);
        engine.Db.Add(row);
        engine.Db.Record(Actor.Of(http.HttpContext), row.Id, AuditOutcome.Done);
        await engine.Db.SaveChangesAsync(CancellationToken.None);
        http.HttpContext.Response.Headers.CacheControl = "no-store";
        return JsonAnswer.Created(links.KeyPath(http.HttpContext, row.Id), CreatedKey.From(row, key));
    }

    private static HeavyTaskRole Check(CreateKeyRequest request, JsonElement json, DateTime now, FieldErrors errors)
    {
        if (ApiKeys.FaultOfName(request.Name) is { } nameFault)
        {
            errors.Add(RequestJson.NameOf(json, "name"), nameFault);
        }

        var roles = HeavyTaskRole.None;
        foreach (var name in request.Roles)
        {
            if (HeavyTaskRoles.Find(name) is { } role)
            {
                roles |= role;
            }
            else
            {
                errors.Add(RequestJson.NameOf(json, "roles"), $"One or more of {string.Join(", ", HeavyTaskRoles.All)} are expected.");
                break;
            }
        }

        if (request.Tenant is { } tenant && ApiKeys.FaultOfTenant(tenant, roles) is { } tenantFault)
        {
            errors.Add(RequestJson.NameOf(json, "tenant"), tenantFault);
        }

        if (request.ExpiresAtUtc <= now)
        {
            errors.Add(RequestJson.NameOf(json, "expiresAt"), "A time in the future is expected.");
        }

        return roles;
    }
}

/// <summary>The body of <c>POST /keys</c>.</summary>
internal sealed record CreateKeyRequest
{
    /// <summary>What the key is for, 1 to 100 characters.</summary>
    [Required]
    [StringLength(ApiKey.MaxNameLength, MinimumLength = 1)]
    public required string Name { get; init; }

    /// <summary>
    /// What the holder may do: <c>submit</c> (upload files, submit tasks), <c>read</c>, <c>operate</c> (cancel, retry; includes read),
    /// <c>admin</c> (keys; includes all).
    /// </summary>
    [Required]
    [MinLength(1)]
    [MaxLength(10)]
    public required IReadOnlyList<string> Roles { get; init; }

    /// <summary>
    /// The tenant whose tasks and files the key reaches: 1 to 64 letters, digits, '.', '_' and '-'. Default: none, for a key that reaches
    /// all.
    /// </summary>
    public string? Tenant { get; init; }

    /// <summary>When the key ends (ISO 8601; UTC unless it has an offset). Default: never.</summary>
    public DateTime? ExpiresAt { get; init; }

    /// <summary>The value of <see cref="ExpiresAt"/> in UTC.</summary>
    internal DateTime? ExpiresAtUtc => ExpiresAt is { } time ? RequestTime.ToUtc(time) : null;
}

/// <summary>A new key.</summary>
/// <param name="Id">Its id, by which it is listed and revoked.</param>
/// <param name="Name">What it is for.</param>
/// <param name="Roles">What its holder may do.</param>
/// <param name="Tenant">The tenant whose tasks and files it reaches; null for all.</param>
/// <param name="ExpiresAt">When it ends (UTC); null for never.</param>
/// <param name="Key">The key itself. Only its hash is kept, so it is never shown again.</param>
internal sealed record CreatedKey(string Id, string Name, IReadOnlyList<string> Roles, string? Tenant, DateTime? ExpiresAt, string Key)
{
    public static CreatedKey From(ApiKey row, string key) =>
        new(row.Id, row.Name, row.Roles.Split(','), row.TenantId == Tenants.None ? null : row.TenantId, row.ExpiresAt, key);
}

using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Http;

internal static class SetKindSlots
{
    /// <summary>The longest body, in bytes.</summary>
    public const int MaxLength = 1024;

    private static readonly JsonTypeInfo RequestType = RequestJson.Options.GetTypeInfo(typeof(SetKindSlotsRequest));

    /// <summary>
    /// Sets how many tasks of a kind each worker runs at once, until it is set again, also after a restart. A worker never runs more than it was
    /// configured with, because its pool has connections for so many. Tasks that run go on; workers see it within about a second.
    /// </summary>
    /// <param name="kind">The name of the kind.</param>
    public static async Task<Results<JsonOk<KindSlotsResponse>, ValidationProblem, ProblemHttpResult>> HandleAsync(
        string kind,
        HttpRequest http,
        EngineContext engine
    )
    {
        if (RequestBody.OpenJson(http, out var body) is { } refusal)
        {
            return refusal;
        }

        var errors = new FieldErrors();
        var json = await RequestJson.ReadAsync(body, MaxLength, errors, http.HttpContext.RequestAborted);
        var request = json is null ? null : (SetKindSlotsRequest?)RequestReader.Read(json.Value, RequestType, path: "", errors);
        if (errors.Any || request is null)
        {
            return errors.ToProblem();
        }

        return await SetAsync(engine.Db, kind, request.Slots, Actor.Of(http.HttpContext), CancellationToken.None)
            ? JsonAnswer.Ok(new KindSlotsResponse(kind, request.Slots))
            : TypedResults.Problem("No worker has announced such a kind.", statusCode: StatusCodes.Status404NotFound);
    }

    /// <summary>Sets the slots, and records it, in one transaction; false when nobody has announced such a kind.</summary>
    public static async Task<bool> SetAsync(DbContext db, string kind, int? slots, Actor actor, CancellationToken cancellationToken)
    {
        var name = AnnouncedKinds.IsName(kind) ? kind : "";
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var changed = await db
            .AnnouncedKinds.Where(k => k.Name == name && k.Slots != slots)
            .ExecuteUpdateAsync(set => set.SetProperty(k => k.Slots, slots), cancellationToken);
        var isThere = changed > 0 || await db.AnnouncedKinds.AnyAsync(k => k.Name == name, cancellationToken);
        if (changed > 0 || !isThere)
        {
            db.Record(actor, kind, isThere ? AuditOutcome.Done : AuditOutcome.NotFound);
            await db.SaveChangesAsync(cancellationToken);
        }

        await transaction.CommitAsync(CancellationToken.None);
        return isThere;
    }
}

/// <summary>The body of <c>PUT /heavy-tasks/kinds/{kind}/slots</c>.</summary>
internal sealed record SetKindSlotsRequest
{
    /// <summary>How many tasks of the kind each worker runs at once at most, 1 to 1,000; null: as the workers are configured.</summary>
    [Range(1, 1000)]
    public required int? Slots { get; init; }
}

/// <summary>How many tasks of a kind each worker runs at once.</summary>
/// <param name="Kind">The name of the kind.</param>
/// <param name="Slots">The number at most; null: as the workers are configured.</param>
internal sealed record KindSlotsResponse(string Kind, int? Slots);

using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Platform.Bare;

/// <summary>The same body as <c>POST /heavy-tasks</c>.</summary>
public sealed record InsertRowRequest(string Kind, JsonElement? Parameters);

public sealed record InsertedRow(Guid Id, string Status);

/// <summary>The bare limit of accepting a task: insert one row with Entity Framework, then answer 202.</summary>
internal static class InsertRow
{
    public static async Task<Accepted<InsertedRow>> HandleAsync(InsertRowRequest request, BareDbContext db, TimeProvider time)
    {
        var now = time.GetUtcNow().UtcDateTime;
        var row = new BareRow
        {
            Id = Guid.CreateVersion7(),
            Kind = request.Kind,
            Status = "Queued",
            Parameters = request.Parameters?.GetRawText() ?? "{}",
            MaxFailures = 1,
            CreatedAt = now,
            QueuedAt = now,
        };
        db.Add(row);
        await db.SaveChangesAsync();
        return TypedResults.Accepted($"/rows/{row.Id}", new InsertedRow(row.Id, row.Status));
    }
}

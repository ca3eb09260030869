namespace Platform.Services;

/// <summary>Accepts heavy work and answers at once: 202 with the work's id.</summary>
internal static class HeavyEndpoint
{
    public static IResult Handle(HttpContext http, IWorkHosting hosting, BackgroundWork work, WorkCounts counts)
    {
        var id = Guid.CreateVersion7();
        work.Enqueue(hosting.Prepare(http.RequestServices, id));
        counts.Accepted();
        return Results.Accepted($"/heavy-tasks/{id}", new { id });
    }
}

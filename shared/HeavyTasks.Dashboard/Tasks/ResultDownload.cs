using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Platform.HeavyTasks.Http;

namespace Platform.HeavyTasks.Dashboard;

/// <summary>Downloads the result file of a task for whoever may read it.</summary>
internal static class ResultDownload
{
    public static async Task<IResult> HandleAsync(
        Guid id,
        HttpContext http,
        EngineContext engine,
        IFileStore files,
        FileTransfers transfers,
        ClientLimits limits,
        IAuthorizationService authorization,
        KeySessions sessions,
        CancellationToken cancellationToken
    )
    {
        var mayRead = await authorization.AuthorizeAsync(http.User, resource: null, HeavyTaskPolicies.Read);
        var isValid = await sessions.IsValidAsync(http.User, unknown: false, cancellationToken);
        if (!isValid || !mayRead.Succeeded || http.User.HasUnusableTenant())
        {
            return TypedResults.StatusCode(StatusCodes.Status403Forbidden);
        }

        return await DownloadResult.HandleAsync(id, engine, files, transfers, limits, http, cancellationToken);
    }
}

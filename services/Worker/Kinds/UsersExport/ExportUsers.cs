using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersExport;

/// <summary>
/// Exports users in pages by id, each on its own short query, so that no connection is held while the file is written. It is not a
/// snapshot: a user stands in the file as its page saw it.
/// </summary>
public sealed class ExportUsers(PlatformDbContext db) : HeavyTaskHandler<ExportUsersParameters>
{
    private const int PageLength = 5000;
    private const int PagesPerCheckpoint = 4;

    /// <inheritdoc />
    public override async Task RunAsync(HeavyTaskContext<ExportUsersParameters> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var cancellationToken = context.CancellationToken;
        var file = await context.OpenResultFileAsync("users.csv", "text/csv");
        var state = context.GetCheckpoint<ExportUsersState>();
        if (state is null)
        {
            await file.WriteAsync(UserCsv.Header(), cancellationToken);
            state = new ExportUsersState(0, await db.Users.MaxAsync(u => (long?)u.Id, cancellationToken) ?? 0, 0);
        }

        for (var page = 1; ; page++)
        {
            var users = await ReadPageAsync(context.Parameters, state, cancellationToken);
            if (users.Count == 0)
            {
                break;
            }

            await file.WriteAsync(UserCsv.Rows(users), cancellationToken);
            state = state with { LastId = users[^1].Id, Rows = state.Rows + users.Count };
            context.ReportProgress(state.LastId, state.EndId, $"{state.Rows:N0} users (progress is the position among the ids)");
            if (page % PagesPerCheckpoint == 0)
            {
                await context.CheckpointAsync(state);
            }
        }

        context.ReportProgress(state.EndId, state.EndId, $"{state.Rows:N0} users");
        context.SetResult(new ExportUsersResult(state.Rows));
    }

    private Task<List<User>> ReadPageAsync(ExportUsersParameters filter, ExportUsersState state, CancellationToken cancellationToken)
    {
        var users = db.Users.AsNoTracking().Where(u => u.Id > state.LastId && u.Id <= state.EndId);
        if (filter.Country is { } country)
        {
            users = users.Where(u => u.Country == country);
        }

        if (filter.SignedUpFrom?.UtcDateTime is { } from)
        {
            users = users.Where(u => u.SignedUpAt >= from);
        }

        if (filter.SignedUpBefore?.UtcDateTime is { } before)
        {
            users = users.Where(u => u.SignedUpAt < before);
        }

        return users.OrderBy(u => u.Id).Take(PageLength).ToListAsync(cancellationToken);
    }
}

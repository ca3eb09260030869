using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersExport;

/// <summary>
/// Exports users in pages by id, each with its own short query, so that no connection is held while the file is written. A page is bounded by
/// its range of ids, too: a filter that matches few users does not make one query search the whole table. The export is not a snapshot: each
/// user appears in the file as their page saw them.
/// </summary>
public sealed class ExportUsers(PlatformDbContext db) : HeavyTaskHandler<ExportUsersParameters>
{
    private const int PageLength = 5000;
    private const int PagesPerCheckpoint = 4;

    /// <summary>How many ids one query searches at most.</summary>
    internal const int IdsPerPage = 50_000;

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
            state = new ExportUsersState(0, await db.Users.Of(context.TenantId).MaxAsync(u => (long?)u.Id, cancellationToken) ?? 0, 0);
        }

        for (var page = 1; state.LastId < state.EndId; page++)
        {
            var lastOfRange = state.EndId - state.LastId > IdsPerPage ? state.LastId + IdsPerPage : state.EndId;
            var users = await ReadPageAsync(context, state.LastId, lastOfRange, cancellationToken);
            if (users.Count > 0)
            {
                await file.WriteAsync(UserCsv.Rows(users, context.Parameters.Spreadsheet), cancellationToken);
            }

            state = new ExportUsersState(
                users.Count == PageLength ? users[^1].Id
                    : users.Count > 0 ? lastOfRange
                    : await EndOfGapAsync(context.TenantId, lastOfRange, state.EndId, cancellationToken),
                state.EndId,
                state.Rows + users.Count
            );
            context.ReportProgress(state.LastId, state.EndId, $"{state.Rows:N0} users (progress is the position among the ids)");
            if (page % PagesPerCheckpoint == 0)
            {
                await context.CheckpointAsync(state);
            }
        }

        context.ReportProgress(state.EndId, state.EndId, $"{state.Rows:N0} users");
        context.SetResult(new ExportUsersResult(state.Rows));
    }

    // Ids may have gaps of any length, which are passed over at once: the smallest id after a given one is a single look into the index.
    private async Task<long> EndOfGapAsync(string tenantId, long lastId, long endId, CancellationToken cancellationToken) =>
        await db.Users.Of(tenantId).Where(u => u.Id > lastId && u.Id <= endId).MinAsync(u => (long?)u.Id, cancellationToken) - 1 ?? endId;

    private Task<List<User>> ReadPageAsync(
        HeavyTaskContext<ExportUsersParameters> context,
        long lastId,
        long lastOfRange,
        CancellationToken cancellationToken
    )
    {
        var filter = context.Parameters;
        var users = db.Users.AsNoTracking().Of(context.TenantId).Where(u => u.Id > lastId && u.Id <= lastOfRange);
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

/// <summary>The checkpoint of an export.</summary>
/// <param name="LastId">The id up to which users are done.</param>
/// <param name="EndId">
/// The id of the last user that existed when the export began. Later users are not exported, so that the export ends.
/// </param>
/// <param name="Rows">The number of users in the file.</param>
internal sealed record ExportUsersState(long LastId, long EndId, long Rows);

/// <summary>What an export did.</summary>
/// <param name="Rows">The number of users in the file.</param>
internal sealed record ExportUsersResult(long Rows);

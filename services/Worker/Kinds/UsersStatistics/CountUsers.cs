using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Worker.Kinds.UsersStatistics;

/// <summary>
/// Counts users per country and per month of sign-up. The database groups by both in one statement, so all numbers come from the same
/// moment and the table is read once.
/// </summary>
public sealed class CountUsers(PlatformDbContext db) : HeavyTaskHandler<UserStatisticsParameters>
{
    /// <inheritdoc />
    public override async Task RunAsync(HeavyTaskContext<UserStatisticsParameters> context)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.ReportProgress(0, text: "The database counts");
        var groups = await CountAsync(context.TenantId, context.CancellationToken);
        var countries = groups
            .GroupBy(g => g.Country)
            .Select(g => new CountryStatistics(g.Key, g.Sum(c => c.Users)))
            .OrderBy(c => c.Country is null)
            .ThenBy(c => c.Country, StringComparer.Ordinal)
            .ToArray();
        var months = groups
            .GroupBy(g => Month(g.Year, g.Month))
            .Select(g => new MonthStatistics(g.Key, g.Sum(c => c.Users)))
            .OrderBy(m => m.Month is null)
            .ThenBy(m => m.Month, StringComparer.Ordinal)
            .ToArray();
        var statistics = new UserStatistics(groups.Sum(g => g.Users), countries, months);

        var file = await context.OpenResultFileAsync("statistics.json", "application/json");
        await file.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(statistics, HeavyTaskJson.Options), context.CancellationToken);
        context.ReportProgress(statistics.Users, statistics.Users, $"{statistics.Users:N0} users");
        context.SetResult(
            new UserStatisticsResult(statistics.Users, countries.Count(c => c.Country is not null), months.Count(m => m.Month is not null))
        );
    }

    private async Task<List<UserGroup>> CountAsync(string tenantId, CancellationToken cancellationToken)
    {
        // To read the whole table may take longer than the ordinary statement timeout. RunTimeout and a cancel end the statement through
        // the token.
        var timeout = db.Database.GetCommandTimeout();
        db.Database.SetCommandTimeout(0);
        try
        {
            return await db
                .Users.Of(tenantId)
                .GroupBy(u => new
                {
                    u.Country,
                    Year = (int?)u.SignedUpAt!.Value.Year,
                    Month = (int?)u.SignedUpAt!.Value.Month,
                })
                .Select(g => new UserGroup(g.Key.Country, g.Key.Year, g.Key.Month, g.LongCount()))
                .ToListAsync(cancellationToken);
        }
        finally
        {
            db.Database.SetCommandTimeout(timeout);
        }
    }

    private static string? Month(int? year, int? month) => year is null ? null : $"{year:D4}-{month:D2}";

    private sealed record UserGroup(string? Country, int? Year, int? Month, long Users);
}

/// <summary>
/// The content of statistics.json. The users of all countries add up to <paramref name="Users"/>, and so do those of all months.
/// </summary>
/// <param name="Users">The number of all users.</param>
/// <param name="Countries">One entry per country in alphabetical order; users without a country, if any, come last.</param>
/// <param name="Months">One entry per month of sign-up (UTC) in order; users without a sign-up time, if any, come last.</param>
internal sealed record UserStatistics(long Users, IReadOnlyList<CountryStatistics> Countries, IReadOnlyList<MonthStatistics> Months);

/// <summary>The number of users of one country.</summary>
/// <param name="Country">The country; null for users without one.</param>
/// <param name="Users">The number of users.</param>
internal sealed record CountryStatistics([property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Country, long Users);

/// <summary>The number of users who signed up in one month.</summary>
/// <param name="Month">The month, such as 2024-01; null for users without a sign-up time.</param>
/// <param name="Users">The number of users.</param>
internal sealed record MonthStatistics([property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Month, long Users);

/// <summary>The result of the task.</summary>
/// <param name="Users">The number of all users.</param>
/// <param name="Countries">The number of countries that users have.</param>
/// <param name="Months">The number of months in which users signed up.</param>
internal sealed record UserStatisticsResult(long Users, int Countries, int Months);

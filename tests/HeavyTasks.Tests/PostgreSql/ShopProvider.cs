using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Tests;

/// <summary>Registers PostgreSQL as an application does without the platform.</summary>
internal static class ShopProvider
{
    public static void UseSplitQueries(DbContextOptionsBuilder options) =>
        options.UseNpgsql(postgres => postgres.UseQuerySplittingBehavior(QuerySplittingBehavior.SplitQuery));

    public static void Use(DbContextOptionsBuilder options, string connectionString, bool repeat) =>
        options.UseNpgsql(
            connectionString,
            postgres =>
            {
                if (repeat)
                {
                    postgres.EnableRetryOnFailure();
                }
            }
        );
}

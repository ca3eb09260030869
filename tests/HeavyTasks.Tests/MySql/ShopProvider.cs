using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks.Tests;

/// <summary>Registers MySQL as an application does without the platform.</summary>
internal static class ShopProvider
{
    public static void UseSplitQueries(DbContextOptionsBuilder options) =>
        options.UseMySql(
            new MySqlServerVersion(new Version(8, 0, 0)),
            mysql => mysql.UseQuerySplittingBehavior(QuerySplittingBehavior.SplitQuery)
        );

    public static void Use(DbContextOptionsBuilder options, string connectionString, bool repeat) =>
        options.UseMySql(
            connectionString,
            new MySqlServerVersion(new Version(8, 0, 0)),
            mysql =>
            {
                if (repeat)
                {
                    mysql.EnableRetryOnFailure();
                }
            }
        );
}

using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.ServiceDefaults;

/// <summary>
/// Manages the schema of the database: one command brings it up to date, every service checks it at its start, and no service changes it.
/// </summary>
public static class DatabaseMigration
{
    /// <summary>The argument that makes a service apply migrations and exit.</summary>
    public const string Command = "migrate";

    /// <summary>
    /// Creates the database if it does not exist, and applies missing migrations. Several processes may call this at once: each waits for
    /// the one before it.
    /// </summary>
    /// <returns>The names of the applied migrations, in order; none when the database is up to date.</returns>
    public static async Task<IReadOnlyList<string>> MigrateAsync(string connectionString, CancellationToken cancellationToken = default)
    {
        await using var db = PlatformDatabase.CreateContext(connectionString);

        // No timeout: an index on a large table can take long.
        db.Database.SetCommandTimeout(TimeSpan.Zero);
        await CreateDatabaseAsync(db.GetService<IRelationalDatabaseCreator>(), cancellationToken);
        await using var alone = await MigrationLock.AcquireAsync(connectionString, cancellationToken);
        var pending = (await db.Database.GetPendingMigrationsAsync(cancellationToken)).ToList();
        await db.Database.MigrateAsync(cancellationToken);
        return pending;
    }

    private static async Task CreateDatabaseAsync(IRelationalDatabaseCreator creator, CancellationToken cancellationToken)
    {
        if (await creator.ExistsAsync(cancellationToken))
        {
            return;
        }

        try
        {
            await creator.CreateAsync(cancellationToken);
        }
        catch (DbException) when (!cancellationToken.IsCancellationRequested)
        {
            // Another process may have created the database first.
            if (!await creator.ExistsAsync(cancellationToken))
            {
                throw;
            }
        }
    }

    /// <summary>
    /// Refuses to start the process while the database lacks migrations. Call it first, so that no other service of the process starts
    /// before the check. Migrations that the database has and this version does not know are allowed, so that an older version can still be
    /// started.
    /// </summary>
    public static IServiceCollection AddMigrationCheck(this IServiceCollection services) => services.AddHostedService<MigrationCheck>();

    private sealed class MigrationCheck(IServiceScopeFactory scopes, DatabaseStart start) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) =>
            start.RunAsync(() => CheckAsync(cancellationToken), cancellationToken);

        private async Task CheckAsync(CancellationToken cancellationToken)
        {
            await using var scope = scopes.CreateAsyncScope();
            var database = scope.ServiceProvider.GetRequiredService<PlatformDbContext>().Database;
            var pending = (await database.GetPendingMigrationsAsync(cancellationToken)).ToList();
            if (pending.Count > 0)
            {
                throw new InvalidOperationException(
                    $"The database lacks {pending.Count} migration(s): {string.Join(", ", pending)}. "
                        + $"Apply them with \"dotnet Platform.Api.dll {Command}\" (from source: dotnet run --project services/Api -- {Command}), then start again."
                );
            }
        }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.ServiceDefaults;

/// <summary>The schema of the database: brought up to date by one command, checked by every service at its start, changed by none of them.</summary>
public static class DatabaseMigration
{
    /// <summary>The argument that makes the API apply migrations and exit.</summary>
    public const string Command = "migrate";

    /// <summary>Makes the database where there is none, and applies what it lacks. Several at once are safe: each waits for the one before it.</summary>
    /// <returns>The names of the migrations applied, in order; none when the database is up to date.</returns>
    public static async Task<IReadOnlyList<string>> MigrateAsync(string connectionString, CancellationToken cancellationToken = default)
    {
        await using var db = PlatformDatabase.CreateContext(connectionString);

        // An index on a large table takes as long as it takes.
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
            // Another process may have been faster.
            if (!await creator.ExistsAsync(cancellationToken))
            {
                throw;
            }
        }
    }

    /// <summary>
    /// Refuses to start the process while the database lacks migrations, before any other service of it starts: call it first. Migrations that the
    /// database has and this version does not know are no obstacle, so that an older version can still be started.
    /// </summary>
    public static IServiceCollection AddMigrationCheck(this IServiceCollection services) => services.AddHostedService<MigrationCheck>();

    private sealed class MigrationCheck(IServiceScopeFactory scopes) : IHostedLifecycleService
    {
        public async Task StartingAsync(CancellationToken cancellationToken)
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

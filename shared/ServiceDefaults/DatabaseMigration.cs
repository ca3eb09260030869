using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.Persistence;

namespace Platform.ServiceDefaults;

/// <summary>The schema of the database: brought up to date by one command, checked by every service at its start, changed by none of them.</summary>
public static class DatabaseMigration
{
    /// <summary>The argument that makes the API apply migrations and exit.</summary>
    public const string Command = "migrate";

    /// <summary>Applies what the database lacks. Two at once are safe: the second waits for the first.</summary>
    /// <returns>The names of the migrations applied, in order; none when the database is up to date.</returns>
    public static async Task<IReadOnlyList<string>> MigrateAsync(string connectionString, CancellationToken cancellationToken = default)
    {
        await using var db = DatabaseProvider.CreateContext(connectionString);

        // An index on a large table takes as long as it takes.
        db.Database.SetCommandTimeout(TimeSpan.Zero);
        var pending = (await db.Database.GetPendingMigrationsAsync(cancellationToken)).ToList();
        await db.Database.MigrateAsync(cancellationToken);
        return pending;
    }

    /// <summary>
    /// Refuses to start the process while the database lacks migrations, before any other service of it starts. Migrations that the
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
                    + $"Apply them with \"dotnet Platform.Api.dll {Command}\" (from source: dotnet run --project services/Api -- {Command}), then start again.");
            }
        }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

using System.Data.Common;
using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Platform.Contracts;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>
/// Checks, before anything starts, that the application has what heavy tasks need and nothing that they cannot work with. Reports the first
/// fault in one sentence.
/// </summary>
internal sealed partial class HeavyTaskStartCheck<TDbContext>(
    IServiceScopeFactory scopes,
    IServiceProviderIsService registered,
    ILogger<HeavyTaskStartCheck<TDbContext>> logger,
    DatabaseStart? start = null
) : IHostedLifecycleService
    where TDbContext : DbContext
{
    private static readonly string Context = typeof(TDbContext).Name;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        if (!registered.IsService(typeof(OutboxBusContext<TDbContext>)))
        {
            throw Refuse($"the bus has no outbox on it: call bus.AddOutbox<{Context}>() in AddMassTransit");
        }

#pragma warning disable EF1001 // No public API tells whether a context comes from a pool.
        if (registered.IsService(typeof(IDbContextPool<TDbContext>)))
#pragma warning restore EF1001
        {
            throw Refuse(
                "it comes from a pool of contexts, which hands a context that somebody still uses to the next request: register it with AddDbContext or AddHeavyTaskDatabase"
            );
        }

        await using var scope = scopes.CreateAsyncScope();
        CheckBus(scope.ServiceProvider);
        var db = scope.ServiceProvider.GetRequiredService<TDbContext>();
        CheckModel(db.Model);
        if (Dialect.Current.FindMissingSettings(db) is { } settings)
        {
            throw Refuse($"its connection string lacks {settings}: add that, or register it with AddHeavyTaskDatabase, which does");
        }

        if (db.Database.CreateExecutionStrategy().RetriesOnFailure)
        {
            throw Refuse(
                "its execution strategy repeats what failed (EnableRetryOnFailure), and a transaction that the caller began cannot be repeated: leave it out, deadlocks are tried again without it"
            );
        }

        await (
            start is null
                ? CheckTablesAsync(db, cancellationToken)
                : start.RunAsync(() => CheckTablesAsync(db, cancellationToken), cancellationToken)
        );
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static void CheckBus(IServiceProvider scope)
    {
        var exchange = scope.GetRequiredService<IBus>().Topology.Publish<HeavyTaskRequested>() switch
        {
            IRabbitMqMessagePublishTopology<HeavyTaskRequested> rabbitMq => rabbitMq.Exchange.ExchangeType,
            IInMemoryMessagePublishTopology<HeavyTaskRequested> inMemory => inMemory.ExchangeType.ToString(),
            _ => "direct",
        };
        if (!string.Equals(exchange, "direct", StringComparison.OrdinalIgnoreCase))
        {
            throw Refuse("the bus sends each task to every kind's queue: call UseHeavyTaskTopology() in UsingRabbitMq");
        }

        if (scope.GetService<HandledKinds>() is { AreReceived: false })
        {
            throw Refuse(
                "no queue brings tasks: call bus.AddHeavyTaskConsumer() in AddMassTransit and AddHeavyTaskQueues(context) in UsingRabbitMq"
            );
        }
    }

    private static void CheckModel(IModel model)
    {
        if (model.FindEntityType(typeof(HeavyTask)) is null)
        {
            throw Refuse("its model has no heavy tasks: call modelBuilder.AddHeavyTasks() in OnModelCreating");
        }

        if (!OutboxModel.IsIn(model))
        {
            throw Refuse("its model has no outbox: call modelBuilder.AddOutbox() in OnModelCreating");
        }

        if (HeavyTasksModel.Entities.FirstOrDefault(type => HasQueryFilter(model.FindEntityType(type)!)) is { } filtered)
        {
            throw Refuse(
                $"its model has a query filter on {filtered.Name}, behind which the engine would not see its own rows: put filters on the application's own entities"
            );
        }
    }

    private static bool HasQueryFilter(IEntityType entity) => entity.FindAnnotation("QueryFilter") is not null;

    // The query names each column, so that it also fails on a table of an older version. It does not go through Entity Framework, which would
    // log each refusal as an error: a user with rights of its own may not read what its service does not need.
    private async Task CheckTablesAsync(TDbContext db, CancellationToken cancellationToken)
    {
        var refused = new List<string>();
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            foreach (var type in HeavyTasksModel.Entities.Select(type => db.Model.FindEntityType(type)!))
            {
                var columns = string.Join(", ", type.GetProperties().Select(p => p.GetColumnName()));
                await using var look = db.Database.GetDbConnection().CreateCommand();
                look.CommandText = $"SELECT {columns} FROM {EngineTables.NameOf(db, type.ClrType)} WHERE 1 = 0";
                try
                {
                    await look.ExecuteNonQueryAsync(cancellationToken);
                }
                catch (DbException exception) when (Dialect.Current.IsSchemaError(exception))
                {
                    throw Refuse(
                        $"the database lacks {type.GetTableName()}, or a column of it ({exception.Message.TrimEnd('.')}): add a migration of {Context} (dotnet ef migrations add HeavyTasks) and apply it"
                    );
                }
                catch (DbException exception) when (Dialect.Current.IsRefused(exception) && type.ClrType == typeof(HeavyTask))
                {
                    throw Refuse(
                        $"the user of the database may not read {type.GetTableName()} ({exception.Message.TrimEnd('.')}): give it its rights after each migration"
                    );
                }
                catch (DbException exception) when (Dialect.Current.IsRefused(exception))
                {
                    refused.Add(type.GetTableName()!);
                }
            }
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }

        if (refused.Count > 0)
        {
            NotReadable(logger, string.Join(", ", refused));
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "The user of the database may not read all of {Tables}; nothing is wrong with that where this service needs none of it."
    )]
    private static partial void NotReadable(ILogger logger, string tables);

    private static InvalidOperationException Refuse(string why) => HeavyTaskStartCheck.Refuse(typeof(TDbContext), why);
}

internal static class HeavyTaskStartCheck
{
    public static InvalidOperationException Refuse(Type context, string why) => new($"{context.Name} cannot have heavy tasks: {why}.");
}

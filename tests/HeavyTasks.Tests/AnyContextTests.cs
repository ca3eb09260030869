using MassTransit;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.Contracts;
using Platform.HeavyTasks.Testing;
using Platform.Outbox;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>Tests the engine on the context of an existing application.</summary>
public sealed class AnyContextTests : IAsyncLifetime
{
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        await database.CreateTablesAsync<ShopDbContext>();
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task Task_is_submitted_with_the_applications_own_rows_and_its_handler_gets_the_applications_own_contexts()
    {
        await using var worker = await StartWorkerAsync();
        Guid id;
        int order;
        await using (var scope = worker.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
            await using var transaction = await db.Database.BeginTransactionAsync();
            var added = db.Orders.Add(new Order { Tenant = 1 }).Entity;
            await db.SaveChangesAsync();
            order = added.Id;
            id = await scope.ServiceProvider.GetRequiredService<IHeavyTasks>().SubmitAsync(new ShipOrder(order));
            await db.SaveChangesAsync();
            await transaction.CommitAsync();
        }

        var task = await worker.FinishedAsync(id);

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded, task.Error);
        await using var look = worker.Services.CreateAsyncScope();
        (await look.ServiceProvider.GetRequiredService<ShopDbContext>().Orders.SingleAsync(o => o.Id == order)).Status.ShouldBe("shipped");
    }

    [Theory]
    [InlineData("not saved")]
    [InlineData("rolled back")]
    public async Task Task_that_the_caller_does_not_commit_does_not_exist(string ending)
    {
        await using var worker = await StartWorkerAsync();
        await using (var scope = worker.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
            await using var transaction = await db.Database.BeginTransactionAsync();
            await scope.ServiceProvider.GetRequiredService<IHeavyTasks>().SubmitAsync(new ShipOrder(1));
            if (ending == "rolled back")
            {
                await db.SaveChangesAsync();
            }
        }

        (await database.CountAsync("heavy_tasks")).ShouldBe(0);
        await using var look = worker.Services.CreateAsyncScope();
        var model = look.ServiceProvider.GetRequiredService<ShopDbContext>().Model;

        // This is our outbox or MassTransit's.
        var outbox = model.GetEntityTypes().Single(e => e.ClrType.Name == "OutboxMessage").GetTableName();
        (await database.CountAsync(outbox!)).ShouldBe(0);
    }

    [Fact]
    public async Task Cancel_and_retry_take_part_in_the_callers_transaction_and_have_one_of_their_own_without()
    {
        await using var worker = await StartWorkerAsync();
        var later = new HeavyTaskSubmitOptions { DueAt = TimeProvider.System.GetUtcNow().AddHours(1), MaxFailures = 7 };
        var id = await ChangeAsync(worker, tasks => tasks.SubmitAsync(new ShipOrder(1), later), save: true);
        (await worker.ReadAsync(id)).MaxFailures.ShouldBe(7);

        (await ChangeAsync(worker, tasks => tasks.CancelAsync(id), commit: false)).ShouldBe(CancelOutcome.Cancelled);
        (await worker.ReadAsync(id)).Status.ShouldBe(HeavyTaskStatus.Scheduled);
        (await ChangeAsync(worker, tasks => tasks.CancelAsync(id))).ShouldBe(CancelOutcome.Cancelled);
        (await worker.ReadAsync(id)).Status.ShouldBe(HeavyTaskStatus.Cancelled);
        (await ChangeAsync(worker, tasks => tasks.CancelAsync(id))).ShouldBe(CancelOutcome.AlreadyEnded);
        (await ChangeAsync(worker, tasks => tasks.CancelAsync(Guid.NewGuid()))).ShouldBe(CancelOutcome.NotFound);

        (await ChangeAsync(worker, tasks => tasks.RetryAsync(id), commit: false)).ShouldBeTrue();
        (await worker.ReadAsync(id)).Status.ShouldBe(HeavyTaskStatus.Cancelled);
        (await ChangeAsync(worker, tasks => tasks.RetryAsync(id))).ShouldBeTrue();
        (await ChangeAsync(worker, tasks => tasks.RetryAsync(Guid.NewGuid()))).ShouldBeFalse();

        // There is no such order, so the handler fails. The first six of seven failures lead to a retry.
        (await worker.ReadAsync(id)).Status.ShouldNotBe(HeavyTaskStatus.Cancelled);
    }

    [Fact]
    public async Task What_cannot_be_accepted_is_refused_before_anything_is_tracked()
    {
        await using var worker = await StartWorkerAsync();
        await using var scope = worker.Services.CreateAsyncScope();
        var tasks = scope.ServiceProvider.GetRequiredService<IHeavyTasks>();
        var parameters = new ShipOrder(1);

        await Refused(tasks.SubmitAsync(new Order()), "HeavyTaskKind");
        await Refused(tasks.SubmitAsync(new LongParameters(new string('x', 70_000))), "64 KiB");
        await Refused(tasks.SubmitAsync(parameters, new() { MaxFailures = 0 }), "MaxFailures");
        await Refused(tasks.SubmitAsync(parameters, new() { MaxFailures = 101 }), "MaxFailures");
        await Refused(tasks.SubmitAsync(parameters, new() { DueAt = TimeProvider.System.GetUtcNow().AddYears(2) }), "DueAt");
        await Refused(tasks.SubmitAsync(parameters, new() { IdempotencyKey = "ä" }), "IdempotencyKey");
        await Refused(tasks.SubmitAsync(parameters, new() { IdempotencyKey = "" }), "IdempotencyKey");

        scope.ServiceProvider.GetRequiredService<ShopDbContext>().ChangeTracker.Entries().ShouldBeEmpty();

        static async Task Refused(Task submit, string what) =>
            (await submit.ShouldThrowAsync<ArgumentException>()).Message.ShouldContain(what);
    }

    [Fact]
    public async Task Application_that_only_submits_keeps_its_own_registration_of_the_context_and_its_own_consumers()
    {
        var heard = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var app = await StartAppAsync<ShopDbContext>(configureBus: bus =>
            bus.AddHandler(
                (OrderPlaced placed) =>
                {
                    heard.TrySetResult(placed.OrderId);
                    return Task.CompletedTask;
                }
            )
        );
        await using (var scope = app.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
            await scope.ServiceProvider.GetRequiredService<IHeavyTasks>().SubmitAsync(new ShipOrder(1));
            await scope.ServiceProvider.GetRequiredService<IPublishEndpoint>().Publish(new OrderPlaced(42));
            await db.SaveChangesAsync();
        }

        (await heard.Task.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBe(42);
        (await database.CountAsync("heavy_tasks WHERE status = 'Queued'")).ShouldBe(1);
        await app.StopAsync();
    }

    [Fact]
    public async Task What_is_missing_is_said_in_one_sentence_at_the_start()
    {
        await RefusedAsync<ShopDbContext>("call bus.AddOutbox<ShopDbContext>() in AddMassTransit", outbox: false);
        await RefusedAsync<ShopDbContext>("call UseHeavyTaskTopology() in UsingRabbitMq", topology: false);
        await RefusedAsync<ShopDbContext>(
            "register it with AddHeavyTaskDatabase",
            configure: services => services.AddHeavyTasks<ShopDbContext>(typeof(ShipOrderHandler))
        );
        await RefusedAsync<NoTasksDbContext>("call modelBuilder.AddHeavyTasks() in OnModelCreating");
        await RefusedAsync<NoOutboxDbContext>("call modelBuilder.AddOutbox() in OnModelCreating");
        await RefusedAsync<FilteredDbContext>("a query filter on HeavyTask");
        await RefusedAsync<ShopDbContext>("from a pool of contexts", pooled: true);
        await database.ScalarAsync("ALTER TABLE heavy_tasks DROP COLUMN crashes");
        await RefusedAsync<ShopDbContext>("dotnet ef migrations add HeavyTasks");
        await database.ScalarAsync("DROP TABLE heavy_tasks");
        await RefusedAsync<ShopDbContext>("dotnet ef migrations add HeavyTasks");
    }

    [Fact]
    public async Task Context_with_lazy_loading_proxies_and_split_queries_runs_tasks()
    {
        await using var worker = await HeavyTaskTestHarness.StartAsync<ShopDbContext, ShipOrderHandler>(
            database.ConnectionString,
            services =>
            {
                services.AddDbContext<ReportDbContext>(options => Dialect.Current.Configure(options, database.ConnectionString));
                services.ConfigureDbContext<ShopDbContext>(options =>
                {
                    options.UseLazyLoadingProxies();
                    ShopProvider.UseSplitQueries(options);
                });
            },
            own => own.AddEntityFrameworkProxies()
        );
        await using (var scope = worker.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
            db.Orders.Add(new Order { Tenant = 1 });
            await db.SaveChangesAsync();
        }

        var task = await worker.RunAsync(new ShipOrder(1));

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded, task.Error);
        await using var look = worker.Services.CreateAsyncScope();
        var loaded = await look.ServiceProvider.GetRequiredService<ShopDbContext>().Orders.SingleAsync();
        loaded.GetType().ShouldNotBe(typeof(Order));
        loaded.Status.ShouldBe("shipped");
    }

    [Fact]
    public async Task Tables_with_a_prefix_and_in_a_schema_where_there_are_any_run_tasks_with_checkpoints_and_result_files()
    {
        await database.CreateTablesAsync<PlacedDbContext>();
        await using var worker = await HeavyTaskTestHarness.StartAsync<PlacedDbContext, WriteReportHandler>(database.ConnectionString);

        var task = await worker.RunAsync(new WriteReport());

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded, task.Error);
        var files = worker.Services.GetRequiredService<IFileStore>();
        using var content = new StreamReader(files.OpenRead((await files.FindAsync(task.ResultFileId!.Value, "", default))!));
        (await content.ReadToEndAsync()).ShouldBe("report");
        await using var scope = worker.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<PlacedDbContext>();
        var tables = db.Model.GetEntityTypes().Select(e => (Schema: e.GetSchema(), Table: e.GetTableName()!)).ToArray();
        tables.ShouldAllBe(t => t.Schema == PlacedDbContext.Schema && t.Table.StartsWith("placed_"));
    }

    [Fact]
    public async Task Strategy_that_repeats_transactions_is_refused() =>
        await RefusedAsync<ShopDbContext>("EnableRetryOnFailure", repeat: true);

    [Fact]
    public void Second_database_is_refused() =>
        Should
            .Throw<InvalidOperationException>(() =>
                new ServiceCollection().AddHeavyTaskDatabase<ShopDbContext>("one").AddHeavyTaskDatabase<ShopDbContext>("two")
            )
            .Message.ShouldContain("AddHeavyTaskDatabase");

    [Fact]
    public void Second_context_for_the_engine_is_refused() =>
        Should
            .Throw<InvalidOperationException>(() =>
                new ServiceCollection().AddHeavyTaskSubmission<ShopDbContext>().AddHeavyTaskSubmission<PlatformDbContext>()
            )
            .Message.ShouldContain("ShopDbContext");

    private Task<HeavyTaskTestHarness> StartWorkerAsync() =>
        HeavyTaskTestHarness.StartAsync<ShopDbContext, ShipOrderHandler>(
            database.ConnectionString,
            services => services.AddDbContext<ReportDbContext>(options => Dialect.Current.Configure(options, database.ConnectionString))
        );

    private static async Task<T> ChangeAsync<T>(
        HeavyTaskTestHarness worker,
        Func<IHeavyTasks, Task<T>> change,
        bool? commit = null,
        bool save = false
    )
    {
        await using var scope = worker.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<ShopDbContext>();
        await using var transaction = commit is null ? null : await db.Database.BeginTransactionAsync();
        var result = await change(scope.ServiceProvider.GetRequiredService<IHeavyTasks>());
        if (save)
        {
            await db.SaveChangesAsync();
        }

        if (commit == true)
        {
            await transaction!.CommitAsync();
        }

        return result;
    }

    private async Task RefusedAsync<TDbContext>(
        string why,
        bool outbox = true,
        bool topology = true,
        bool pooled = false,
        bool repeat = false,
        Action<IServiceCollection>? configure = null
    )
        where TDbContext : DbContext
    {
        var refused = await Should.ThrowAsync<InvalidOperationException>(() =>
            StartAppAsync<TDbContext>(outbox, topology, pooled, repeat, configure)
        );
        refused.Message.ShouldContain(why);
        refused.Message.ShouldStartWith($"{typeof(TDbContext).Name} cannot have heavy tasks: ");
    }

    /// <summary>An application with a context, a bus and consumers of its own, which submits tasks.</summary>
    private async Task<IHost> StartAppAsync<TDbContext>(
        bool outbox = true,
        bool topology = true,
        bool pooled = false,
        bool repeat = false,
        Action<IServiceCollection>? configure = null,
        Action<IBusRegistrationConfigurator>? configureBus = null
    )
        where TDbContext : DbContext
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddLogging();
        if (pooled)
        {
            builder.Services.AddDbContextPool<TDbContext>(Configure);
        }
        else
        {
            builder.Services.AddDbContext<TDbContext>(Configure);
        }

        builder.Services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            configureBus?.Invoke(bus);
            if (outbox)
            {
                bus.AddOutbox<TDbContext>();
            }

            bus.UsingInMemory(
                (context, inMemory) =>
                {
                    if (topology)
                    {
                        inMemory.UseHeavyTaskTopology();
                    }

                    inMemory.ConfigureEndpoints(context);
                }
            );
        });
        builder.Services.AddHeavyTaskSubmission<TDbContext>();
        configure?.Invoke(builder.Services);
        var app = builder.Build();
        await app.StartAsync();
        return app;

        void Configure(DbContextOptionsBuilder options) => ShopProvider.Use(options, database.ConnectionString, repeat);
    }

    [HeavyTaskKind("shop.long")]
    private sealed record LongParameters(string Text);

    public sealed record OrderPlaced(int OrderId);

    private sealed class NoTasksDbContext(DbContextOptions<NoTasksDbContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.AddOutbox();
    }

    private sealed class NoOutboxDbContext(DbContextOptions<NoOutboxDbContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.AddHeavyTasks();
    }

    private sealed class FilteredDbContext(DbContextOptions<FilteredDbContext> options) : ShopDbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            base.OnModelCreating(modelBuilder);
            modelBuilder.Entity<HeavyTask>().HasQueryFilter(t => t.Kind == "mine");
        }
    }
}

using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Worker.Kinds.UsersExport;
using Platform.Worker.Kinds.UsersImport;
using Platform.Worker.Kinds.UsersStatistics;

namespace Platform.Worker.Tests.Kinds;

/// <summary>A task of a tenant writes and reads the users of that tenant; one of none reads all.</summary>
public sealed class TenantTests : KindTest
{
    private static readonly ImportUsersColumns Columns = new() { ExternalId = "id", Name = "name" };

    [Fact]
    public async Task Tenants_import_the_same_ids_and_export_and_count_their_own()
    {
        await StartWorkerAsync(
            [typeof(ImportUsers), typeof(ExportUsers), typeof(CountUsers)],
            services => services.PostConfigure<DatabaseOptions>(database => database.MaxPoolSize = 20)
        );
        foreach (var (tenant, rows) in new[] { ("red", "1,Ada\n2,Grace\n"), ("blue", "1,Alan\n"), ("", "1,Edsger\n3,Barbara\n") })
        {
            var file = await UploadAsync(Encoding.UTF8.GetBytes($"id,name\n{rows}"), tenant);
            var parameters = new ImportUsersParameters
            {
                FileId = file,
                Columns = Columns,
                OnExisting = ExistingUser.Fail,
            };
            (await RunAsync(tenant, parameters)).Status.ShouldBe(HeavyTaskStatus.Succeeded);
        }

        // An update of one tenant's user leaves the other's as it is.
        var update = await UploadAsync("id,name\n1,Ada Lovelace\n"u8.ToArray(), "red");
        var updated = await RunAsync(
            "red",
            new ImportUsersParameters
            {
                FileId = update,
                Columns = Columns,
                OnExisting = ExistingUser.Update,
            }
        );
        JsonElement.Parse(updated.Result!).GetProperty("updated").GetInt32().ShouldBe(1, updated.Error);

        (await NamesAsync("red")).ShouldBe(["Ada Lovelace", "Grace"]);
        (await NamesAsync("blue")).ShouldBe(["Alan"]);
        (await NamesAsync("green")).ShouldBeEmpty();
        (await NamesAsync("")).ShouldBe(["Ada Lovelace", "Grace", "Alan", "Edsger", "Barbara"]);
        foreach (var (tenant, count) in new[] { ("red", 2), ("blue", 1), ("green", 0), ("", 5) })
        {
            var counted = await RunAsync(tenant, new UserStatisticsParameters());
            JsonElement.Parse(counted.Result!).GetProperty("users").GetInt32().ShouldBe(count, tenant);
        }
    }

    [Fact]
    public async Task A_task_that_a_handler_submits_belongs_to_the_tenant_of_its_task()
    {
        await StartWorkerAsync<SubmitAnother>();

        var task = await RunAsync("red", new AnotherParameters());

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded, task.Error);
        await using var db = Database.CreateContext();
        var others = await db.HeavyTasks.AsNoTracking().Where(t => t.Id != task.Id).Select(t => t.TenantId).ToListAsync();

        // Ids of the same millisecond have no order.
        others.ShouldBe(["red", "", "blue"], ignoreOrder: true);
    }

    private async Task<List<string>> NamesAsync(string tenant)
    {
        var task = await RunAsync(tenant, new ExportUsersParameters());
        var lines = (await ReadResultFileAsync(task, "users.csv")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return [.. lines.Skip(1).Select(line => line.Split(',')[1].Trim('"'))];
    }

    private async Task<HeavyTask> RunAsync<TParameters>(string tenant, TParameters parameters)
        where TParameters : class
    {
        await using var scope = Worker.Services.CreateAsyncScope();
        var options = new HeavyTaskSubmitOptions { TenantId = tenant, MaxFailures = 1 };
        var id = await scope.ServiceProvider.GetRequiredService<IHeavyTasks>().SubmitAsync(parameters, options);
        await scope.ServiceProvider.GetRequiredService<PlatformDbContext>().SaveChangesAsync();
        return await Worker.FinishedAsync(id);
    }

    [HeavyTaskKind("test.another")]
    private sealed record AnotherParameters;

    private sealed class SubmitAnother(IHeavyTasks tasks) : HeavyTaskHandler<AnotherParameters>
    {
        public override async Task RunAsync(HeavyTaskContext<AnotherParameters> context)
        {
            await tasks.SubmitAsync(new UserStatisticsParameters(), null, context.CancellationToken);
            await tasks.SubmitAsync(
                new UserStatisticsParameters(),
                new HeavyTaskSubmitOptions { TenantId = "" },
                context.CancellationToken
            );
            await tasks.SubmitAsync(
                new UserStatisticsParameters(),
                new HeavyTaskSubmitOptions { TenantId = "blue" },
                context.CancellationToken
            );
        }
    }
}

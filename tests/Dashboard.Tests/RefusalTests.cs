using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform.Dashboard.Tests.Components;
using Platform.HeavyTasks;
using Platform.HeavyTasks.Dashboard;
using Platform.HeavyTasks.Http;
using Platform.Persistence;
using Platform.Support;

namespace Platform.Dashboard.Tests;

/// <summary>What somebody tries on a page and may not is in the record of who did what, and is not done.</summary>
public sealed class RefusalTests : IAsyncLifetime
{
    private readonly Visitor visitor = new();
    private TestDatabase database = null!;
    private ServiceProvider services = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        services = new ServiceCollection()
            .AddLogging()
            .AddSingleton(TimeProvider.System)
            .AddScoped(_ => database.CreateContext())
            .AddScoped(scope => new EngineContext(scope.GetRequiredService<PlatformDbContext>()))
            .AddSingleton<AuthenticationStateProvider>(visitor)
            .AddSingleton(Options.Create(new AccessOptions()))
            .AddAuthorizationCore(options =>
            {
                foreach (var policy in new[] { HeavyTaskPolicies.Operate, HeavyTaskPolicies.OperateSystem })
                {
                    options.AddPolicy(policy, allowed => allowed.RequireClaim(HeavyTaskPolicies.RoleClaim, "operate"));
                }
            })
            .AddSingleton<ClientLimits>()
            .AddSingleton<KnownKeys>()
            .AddSingleton<KeySessions>()
            .AddScoped<Viewer>()
            .AddScoped<DashboardActions>()
            .AddScoped<KindActions>()
            .AddScoped<WorkerActions>()
            .AddScoped<FaultActions>()
            .BuildServiceProvider();
        visitor.Become("read");
    }

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        await database.DisposeAsync();
    }

    [Theory]
    [InlineData("CancelHeavyTask")]
    [InlineData("RetryHeavyTask")]
    [InlineData("DeleteHeavyTask")]
    [InlineData("SetKindSlots")]
    [InlineData("PurgeKind")]
    [InlineData("DrainWorker")]
    [InlineData("ResumeWorker")]
    [InlineData("PauseKind")]
    [InlineData("ResumeKind")]
    [InlineData("ReadPoisonMessage")]
    [InlineData("DiscardPoisonMessage")]
    [InlineData("SendOutboxMessageAgain")]
    [InlineData("DiscardOutboxMessage")]
    public async Task An_action_that_is_refused_is_recorded_and_not_done(string action)
    {
        var task = HeavyTask.Submit("test.kind", "{}", 1, TimeProvider.System.GetUtcNow().UtcDateTime, null);
        await using (var db = database.CreateContext())
        {
            db.Add(task);
            await db.SaveChangesAsync();
        }

        await using var page = services.CreateAsyncScope();
        page.ServiceProvider.GetRequiredService<Viewer>().Address = "192.0.2.7";

        var refusal = await Should.ThrowAsync<UnauthorizedAccessException>(() => DoAsync(page.ServiceProvider, action, task.Id));

        refusal.Message.ShouldBe("This needs a client with the role operate.");
        await using var after = database.CreateContext();
        var entry = await after.AuditEntries.SingleAsync();
        (entry.Action, entry.Outcome, entry.Actor, entry.ActorName, entry.Address).ShouldBe(
            (action, "Forbidden", "ada-1", "Ada", "192.0.2.7")
        );
        entry.Target.ShouldBe(TargetOf(action, task.Id));
        (await after.HeavyTasks.SingleAsync()).Status.ShouldBe(HeavyTaskStatus.Queued);
    }

    [Fact]
    public async Task Whoever_tries_again_and_again_does_not_fill_the_record()
    {
        await using var page = services.CreateAsyncScope();
        for (var i = 0; i < 30; i++)
        {
            await Should.ThrowAsync<UnauthorizedAccessException>(() => DoAsync(page.ServiceProvider, "PauseKind", Guid.Empty));
        }

        await using var after = database.CreateContext();
        (await after.AuditEntries.CountAsync()).ShouldBeInRange(10, 12);
    }

    [Fact]
    public async Task What_cannot_be_recorded_is_refused_all_the_same()
    {
        await database.EmptyAsync();
        await using var page = services.CreateAsyncScope();

        await Should.ThrowAsync<UnauthorizedAccessException>(() => DoAsync(page.ServiceProvider, "PauseKind", Guid.Empty));
    }

    private static string TargetOf(string action, Guid task) =>
        action switch
        {
            "PauseKind" or "ResumeKind" or "SetKindSlots" or "PurgeKind" => "test.kind",
            "ReadPoisonMessage" or "DiscardPoisonMessage" => "7",
            _ => $"{task}",
        };

    private static Task DoAsync(IServiceProvider page, string action, Guid task) =>
        action switch
        {
            "CancelHeavyTask" => page.GetRequiredService<DashboardActions>().CancelAsync(task),
            "RetryHeavyTask" => page.GetRequiredService<DashboardActions>().RetryAsync(task),
            "DeleteHeavyTask" => page.GetRequiredService<DashboardActions>().DeleteAsync(task),
            "SetKindSlots" => page.GetRequiredService<KindActions>().SetSlotsAsync("test.kind", 1),
            "PurgeKind" => page.GetRequiredService<KindActions>().PurgeAsync("test.kind", _ => { }, CancellationToken.None),
            "DrainWorker" => page.GetRequiredService<WorkerActions>().SetDrainedAsync(task, isDrained: true),
            "ResumeWorker" => page.GetRequiredService<WorkerActions>().SetDrainedAsync(task, isDrained: false),
            "PauseKind" => page.GetRequiredService<KindActions>().SetPausedAsync("test.kind", isPaused: true),
            "ResumeKind" => page.GetRequiredService<KindActions>().SetPausedAsync("test.kind", isPaused: false),
            "ReadPoisonMessage" => page.GetRequiredService<FaultActions>().LookInsideAsync(7),
            "DiscardPoisonMessage" => page.GetRequiredService<FaultActions>().DiscardPoisonAsync(7),
            "SendOutboxMessageAgain" => page.GetRequiredService<FaultActions>().SendAgainAsync(task),
            _ => page.GetRequiredService<FaultActions>().DiscardUnsentAsync(task),
        };
}

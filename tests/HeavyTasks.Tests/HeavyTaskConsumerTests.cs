using System.Collections.Concurrent;
using MassTransit;
using MassTransit.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Platform.Contracts;
using Platform.HeavyTasks.Testing;
using Platform.Persistence;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>Tests the consumer on MassTransit's in-memory harness; a pattern for tests of your own kinds.</summary>
public sealed class HeavyTaskConsumerTests : IAsyncLifetime
{
    private readonly TestScript script = new();
    private TestDatabase database = null!;
    private HeavyTaskTestHarness worker = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        worker = await HeavyTaskTestHarness.StartAsync<PlatformDbContext, TestHandler>(
            database.ConnectionString,
            services => services.AddSingleton(script)
        );
    }

    public async ValueTask DisposeAsync()
    {
        await worker.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task A_task_runs_and_succeeds_with_its_result()
    {
        script.Work = (context, _) =>
        {
            context.SetResult(new TestParameters(context.Parameters.Text + "!"));
            return Task.CompletedTask;
        };

        var task = await worker.RunAsync(new TestParameters("hello"));

        task.Status.ShouldBe(HeavyTaskStatus.Succeeded);
        task.Result.ShouldBe("""{"text":"hello!"}""");
    }

    [Fact]
    public async Task Two_messages_get_two_scopes_and_two_contexts_and_both_are_disposed()
    {
        var contexts = new ConcurrentBag<PlatformDbContext>();
        script.Work = (_, db) =>
        {
            contexts.Add(db);
            return Task.CompletedTask;
        };

        await worker.RunAsync(new TestParameters());
        await worker.RunAsync(new TestParameters());

        contexts.Distinct().Count().ShouldBe(2);
        foreach (var context in contexts)
        {
            await Eventually.Async(() => IsDisposed(context), TimeSpan.FromSeconds(10), "the scope of the message ends");
        }
    }

    [Fact]
    public async Task Redelivered_request_does_not_run_twice()
    {
        var task = await worker.RunAsync(new TestParameters());

        await worker.Bus.Bus.Publish(new HeavyTaskRequested(task.Id, "test.kind"), TestContext.Current.CancellationToken);

        await Eventually.Async(
            () => worker.Bus.Consumed.Select<HeavyTaskRequested>().Count() == 2,
            TimeSpan.FromSeconds(20),
            "both messages are consumed"
        );
        script.Runs.ShouldBe(1);
    }

    [Fact]
    public async Task What_a_handler_tracks_is_saved_with_the_completion()
    {
        script.Work = (_, db) =>
        {
            db.Users.Add(new User { ExternalId = "1", Name = "Ada" });
            return Task.CompletedTask;
        };

        await worker.RunAsync(new TestParameters());

        await using var db = database.CreateContext();
        (await db.Users.SingleAsync(TestContext.Current.CancellationToken)).Name.ShouldBe("Ada");
    }

    [Fact]
    public async Task What_a_failed_handler_tracked_is_not_saved()
    {
        script.Work = (_, db) =>
        {
            db.Users.Add(new User { ExternalId = "1", Name = "Ada" });
            throw new InvalidOperationException("broken");
        };

        var task = await worker.RunAsync(new TestParameters());

        task.Status.ShouldBe(HeavyTaskStatus.Failed);
        task.Error.ShouldBe("InvalidOperationException: broken");
        await using var db = database.CreateContext();
        (await db.Users.AnyAsync(TestContext.Current.CancellationToken)).ShouldBeFalse();
    }

    [Fact]
    public async Task Saving_outside_a_checkpoint_fails_the_attempt_and_writes_nothing()
    {
        script.Work = async (_, db) =>
        {
            db.Users.Add(new User { ExternalId = "1", Name = "Ada" });
            await db.SaveChangesAsync();
        };

        var task = await worker.RunAsync(new TestParameters());

        task.Status.ShouldBe(HeavyTaskStatus.Failed);
        task.Error!.ShouldContain("A handler saves in CheckpointAsync");
        await using var db = database.CreateContext();
        (await db.Users.AnyAsync(TestContext.Current.CancellationToken)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_request_for_a_kind_that_is_not_run_here_is_kept_as_poison()
    {
        var endpoint = await worker.Bus.Bus.GetSendEndpoint(new Uri("queue:heavy-task.test.kind"));
        await endpoint.Send(new HeavyTaskRequested(Guid.NewGuid(), "other.kind"), TestContext.Current.CancellationToken);

        await using var db = database.CreateContext();
        await Eventually.Async(() => db.PoisonMessages.AnyAsync(), TimeSpan.FromSeconds(20), "the message is kept");
        var message = await db.PoisonMessages.SingleAsync(TestContext.Current.CancellationToken);
        message.Queue.ShouldBe("heavy-task.test.kind");
        message.Error.ShouldContain("does not run tasks of kind 'other.kind'");
        System.Text.Encoding.UTF8.GetString(message.Body).ShouldContain("other.kind");
    }

    [Fact]
    public async Task A_handler_can_publish_with_its_completion()
    {
        script.Work = (context, _) => context.PublishAsync(new HeavyTaskCancelled(context.TaskId, "of the handler", 7));

        await worker.RunAsync(new TestParameters());

        (
            await worker.Bus.Consumed.Any<HeavyTaskCancelled>(
                m => m.Context.Message.Kind == "of the handler",
                TestContext.Current.CancellationToken
            )
        ).ShouldBeTrue();
    }

    private static bool IsDisposed(PlatformDbContext context)
    {
        try
        {
            _ = context.ChangeTracker;
            _ = context.Model;
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }
}

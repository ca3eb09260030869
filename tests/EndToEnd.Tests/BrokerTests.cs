using System.Text;
using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.Support;

namespace Platform.EndToEnd.Tests;

/// <summary>Whatever the broker does, a task is not affected.</summary>
/// <remarks>
/// The broker is stopped and not killed: after a SIGKILL, RabbitMQ 3.10.8 came back in two of some 45 cases with a quorum queue that never
/// answered basic.consume.
/// </remarks>
public sealed class BrokerTests
{
    [Fact]
    public async Task Tasks_accepted_before_any_worker_ever_ran_all_run_when_the_first_one_starts()
    {
        await using var system = await TestSystem.StartAsync();
        var ids = new List<Guid>();
        for (var i = 0; i < 30; i++)
        {
            ids.Add(await system.SubmitStepsAsync($"t{i}", steps: 1, pauseMilliseconds: 0));
        }

        await using var db = system.Database.CreateContext();
        await Eventually.Async(
            async () => await system.Database.CountAsync("outbox_messages") == 0,
            TimeSpan.FromSeconds(30),
            "the broker confirmed all of them"
        );
        (await system.Broker.QueueDepthAsync("heavy-task.test.steps")).ShouldBeNull("no queue ever took them");

        await system.StartWorkerAsync();

        await Eventually.Async(
            async () => await db.HeavyTasks.CountAsync(t => t.Status == HeavyTaskStatus.Succeeded) == ids.Count,
            TimeSpan.FromSeconds(90),
            "all of them run"
        );
        (await db.HeavyTasks.MaxAsync(t => t.Attempt, TestContext.Current.CancellationToken)).ShouldBe(1);
    }

    [Fact]
    public async Task Tasks_posted_while_the_broker_is_down_all_run_when_it_is_up_again()
    {
        await using var broker = await PrivateBroker.CreateAsync();
        await using var system = await TestSystem.StartAsync(broker.Uri);
        await system.StartWorkerAsync();
        var before = await system.SubmitStepsAsync("before", steps: 1, pauseMilliseconds: 0);
        await system.WaitForStatusAsync(before, HeavyTaskStatus.Succeeded);

        await broker.StopAsync();
        for (var i = 0; i < 20; i++)
        {
            await system.SubmitStepsAsync($"t{i}", steps: 1, pauseMilliseconds: 0);
        }

        await using var db = system.Database.CreateContext();
        (await db.HeavyTasks.CountAsync(t => t.Status == HeavyTaskStatus.Queued, TestContext.Current.CancellationToken)).ShouldBe(20);
        await broker.StartAsync();

        await Eventually.Async(
            async () => await db.HeavyTasks.CountAsync(t => t.Status == HeavyTaskStatus.Succeeded) == 21,
            TimeSpan.FromSeconds(120),
            "all of them run"
        );
        await Eventually.Async(
            async () => await system.Database.CountAsync("outbox_messages") == 0,
            TimeSpan.FromSeconds(60),
            "the outbox is empty"
        );
    }

    [Fact]
    public async Task While_an_alarm_blocks_publishers_running_tasks_complete_and_acknowledge_and_what_was_accepted_runs_afterwards()
    {
        const string queue = "heavy-task.test.steps";
        await using var broker = await PrivateBroker.CreateAsync();
        await using var system = await TestSystem.StartAsync(broker.Uri);
        await system.StartWorkerAsync();
        var shorter = await system.SubmitStepsAsync("short", steps: 60, pauseMilliseconds: 100);
        var longer = await system.SubmitStepsAsync("long", steps: 150, pauseMilliseconds: 100);
        await system.WaitForStepAsync("short", 1);
        await system.WaitForStepAsync("long", 1);

        await broker.RaiseMemoryAlarmAsync();
        for (var i = 0; i < 20; i++)
        {
            await system.SubmitStepsAsync($"t{i}", steps: 1, pauseMilliseconds: 0);
        }

        // The event of the task that ends first is published in vain; the acknowledgement of the other task comes after that.
        await system.WaitForStatusAsync(shorter, HeavyTaskStatus.Succeeded, TimeSpan.FromSeconds(60));
        await system.WaitForStatusAsync(longer, HeavyTaskStatus.Succeeded, TimeSpan.FromSeconds(60));
        await Eventually.Async(
            async () => await broker.VirtualHost.UnacknowledgedAsync(queue) == 0,
            TimeSpan.FromSeconds(30),
            "both are acknowledged"
        );
        await using var db = system.Database.CreateContext();
        (await db.HeavyTasks.CountAsync(t => t.Status == HeavyTaskStatus.Queued, TestContext.Current.CancellationToken)).ShouldBe(20);

        await broker.EndMemoryAlarmAsync();
        await Eventually.Async(
            async () => await db.HeavyTasks.CountAsync(t => t.Status == HeavyTaskStatus.Succeeded) == 22,
            TimeSpan.FromSeconds(120),
            "all of them run"
        );
        await Eventually.Async(
            async () => await system.Database.CountAsync("outbox_messages") == 0,
            TimeSpan.FromSeconds(60),
            "the outbox is empty"
        );
    }

    [Fact]
    public async Task The_broker_restarted_during_a_task_does_not_stop_it()
    {
        await using var broker = await PrivateBroker.CreateAsync();
        await using var system = await TestSystem.StartAsync(broker.Uri);
        var worker = await system.StartWorkerAsync(("RabbitMq:EndpointTimeout", "00:00:02"));
        var id = await system.SubmitStepsAsync("a", steps: 150, pauseMilliseconds: 100);
        await system.WaitForStepAsync("a", 3);

        await broker.StopAsync();
        await worker.WaitForOutputAsync("is started anew", TimeSpan.FromSeconds(60));
        await broker.StartAsync();

        await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded, TimeSpan.FromSeconds(120));
        (await system.StepsWrittenAsync("a")).ShouldBe(Enumerable.Range(0, 150));
        (await system.AttemptsAsync(id)).Count.ShouldBe(1);

        // The worker consumes again.
        var next = await system.SubmitStepsAsync("b", steps: 1, pauseMilliseconds: 0);
        await system.WaitForStatusAsync(next, HeavyTaskStatus.Succeeded);
    }

    // A connection notifies its channels of its end one after another, and each channel waits for its deliveries. The test cuts several
    // times, because the result depends on their order.
    [Fact]
    public async Task A_connection_lost_during_tasks_of_two_kinds_keeps_no_kind_from_running()
    {
        await using var broker = await TestBroker.CreateAsync();
        await using var proxy = new BrokerProxy(broker.Uri);
        await using var system = await TestSystem.StartAsync(proxy.Uri);
        await system.StartWorkerAsync();
        Guid[] running = [await SubmitAsync("test.steps", "a", 6000), await SubmitAsync("test.other-steps", "b", 6000)];
        await system.WaitForStepAsync("a", 1);
        await system.WaitForStepAsync("b", 1);

        for (var cut = 0; cut < 4; cut++)
        {
            proxy.Cut();
            Guid[] next = [await SubmitAsync("test.steps", $"c{cut}", 1), await SubmitAsync("test.other-steps", $"d{cut}", 1)];
            foreach (var id in next)
            {
                await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded);
            }
        }

        foreach (var id in running)
        {
            var task = await system.ReadAsync(id);
            (task.Status, task.Attempt).ShouldBe((HeavyTaskStatus.Running, 1));
        }

        Task<Guid> SubmitAsync(string kind, string name, int steps) =>
            system.SubmitAsync(
                kind,
                new
                {
                    name,
                    steps,
                    pauseMilliseconds = 100,
                }
            );
    }

    [Fact]
    public async Task A_task_longer_than_the_brokers_consumer_timeout_runs_once()
    {
        // The shortest consumer timeout that RabbitMQ enforces is a minute, and it checks once a minute.
        await using var broker = await PrivateBroker.CreateAsync("consumer_timeout = 60000");
        await using var system = await TestSystem.StartAsync(broker.Uri);
        var worker = await system.StartWorkerAsync(("Logging:LogLevel:MassTransit", "Debug"));
        var id = await system.SubmitStepsAsync("a", steps: 280, pauseMilliseconds: 500);

        await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded, TimeSpan.FromSeconds(240));

        (await system.StepsWrittenAsync("a")).ShouldBe(Enumerable.Range(0, 280));
        (await system.AttemptsAsync(id)).Count.ShouldBe(1);
        await system.WaitForStatusAsync(await system.SubmitStepsAsync("b", steps: 1, pauseMilliseconds: 0), HeavyTaskStatus.Succeeded);

        // From 3.12 on, the queue itself declares how long its consumers may take. Older brokers close the channel.
        var isMet = await broker.VirtualHost.VersionAsync() < new Version(3, 12);
        worker.Output.Contains("PRECONDITION_FAILED", StringComparison.Ordinal).ShouldBe(isMet, "the broker's timeout is met");
        worker.Output.ShouldNotContain("Consumer Canceled");
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_is_kept_and_does_not_stop_the_queue()
    {
        await using var system = await TestSystem.StartAsync();
        await system.StartWorkerAsync();

        await system.Broker.PublishAsync(
            "heavy-task.test.steps",
            "",
            "{ not json"u8.ToArray(),
            "application/vnd.masstransit+json",
            messageId: "twice"
        );

        await using var db = system.Database.CreateContext();
        await Eventually.Async(() => db.PoisonMessages.AnyAsync(), TimeSpan.FromSeconds(30), "the message is kept");
        var kept = await db.PoisonMessages.SingleAsync(TestContext.Current.CancellationToken);
        kept.Queue.ShouldBe("heavy-task.test.steps");
        kept.Body.ShouldBe("{ not json"u8.ToArray());
        kept.Error.ShouldNotBeEmpty();
        kept.MessageId.ShouldBe("twice");
        var id = await system.SubmitStepsAsync("a", steps: 1, pauseMilliseconds: 0);
        await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded);
        (await system.Broker.QueueDepthAsync("heavy-task.test.steps")).ShouldBe(0u);
    }

    // The message of version 0.1.0, as its MassTransit wrote it: later members are missing. The task's own message is lost, because no worker
    // has declared the queue when it is published.
    [Fact]
    public async Task A_message_of_version_0_1_0_is_understood()
    {
        await using var system = await TestSystem.StartAsync();
        var id = await SubmitInVainAsync(system);
        await system.StartWorkerAsync(("HeavyTasks:VanishedAfter", "00:05:00"));

        await PublishOldMessageAsync(system, id);

        await system.WaitForStatusAsync(id, HeavyTaskStatus.Succeeded);
    }

    // A task that was published again counts as queued later. When its first message comes after all, the tasks queued in between are behind it
    // in the queue and were not overtaken: to publish them, too, would double the backlog.
    [Fact]
    public async Task A_late_message_is_no_evidence_that_others_vanished()
    {
        await using var system = await TestSystem.StartAsync();
        var (again, waiting) = (await SubmitInVainAsync(system), await SubmitInVainAsync(system));
        await using var db = system.Database.CreateContext();
        await db
            .HeavyTasks.Where(t => t.Id == waiting)
            .ExecuteUpdateAsync(
                set => set.SetProperty(t => t.QueuedAt, t => t.QueuedAt!.Value.AddMinutes(-10)),
                TestContext.Current.CancellationToken
            );
        await system.StartWorkerAsync(("HeavyTasks:VanishedAfter", "00:05:00"), ("HeavyTasks:OvertakenAfter", "00:00:01"));

        await PublishOldMessageAsync(system, again);
        await system.WaitForStatusAsync(again, HeavyTaskStatus.Succeeded);

        // Every 15 s the worker looks for tasks that were overtaken.
        await Task.Delay(TimeSpan.FromSeconds(20), TimeProvider.System, TestContext.Current.CancellationToken);
        (await db.HeavyTasks.AsNoTracking().SingleAsync(t => t.Id == waiting, TestContext.Current.CancellationToken)).Status.ShouldBe(
            HeavyTaskStatus.Queued
        );
    }

    private static async Task<Guid> SubmitInVainAsync(TestSystem system)
    {
        var id = await system.SubmitStepsAsync("a", steps: 1, pauseMilliseconds: 0);
        await Eventually.Async(
            async () => await system.Database.CountAsync("outbox_messages") == 0,
            TimeSpan.FromSeconds(30),
            "the message was sent"
        );
        return id;
    }

    private static Task PublishOldMessageAsync(TestSystem system, Guid task) =>
        system.Broker.PublishAsync(
            "heavy-task.test.steps",
            "",
            Encoding.UTF8.GetBytes(
                $$"""
                {
                  "messageId": "00da0000-fb38-0200-2ee9-08de28d5f0c1",
                  "conversationId": "00da0000-fb38-0200-58b0-08de28d5f0c2",
                  "sourceAddress": "rabbitmq://127.0.0.1/host_PlatformApi_bus?temporary=true",
                  "destinationAddress": "rabbitmq://127.0.0.1/heavy-task-requested?type=direct",
                  "messageType": ["urn:message:Platform.Contracts:HeavyTaskRequested"],
                  "message": { "taskId": "{{task}}", "kind": "test.steps" },
                  "sentTime": "2026-11-21T09:00:00.0000000Z",
                  "headers": {}
                }
                """
            ),
            "application/vnd.masstransit+json",
            messageId: "00da0000-fb38-0200-2ee9-08de28d5f0c1"
        );
}

using System.Reflection;
using MassTransit;
using Microsoft.Extensions.Logging.Abstractions;
using Platform.Support;

namespace Platform.HeavyTasks.Tests;

/// <summary>An endpoint that does not end when it is stopped does not keep a worker from going on.</summary>
public sealed class HeavyTaskReceiversTests
{
    private static readonly Uri Queue = new("rabbitmq://localhost/heavy-task.test.kind");

    [Fact]
    public void An_endpoint_that_hangs_is_stopped_a_second_time_unless_its_tasks_run()
    {
        var clock = new ManualTime();
        var endpoint = new HangingEndpoint();
        var attempts = new RunningAttempts();
        var receivers = new HeavyTaskReceivers(BusWith(endpoint), attempts, clock, NullLogger<HeavyTaskReceivers>.Instance);
        var claimed = new ClaimedHeavyTask
        {
            Id = Guid.CreateVersion7(),
            Kind = "test.kind",
            Attempt = 1,
        };
        var running = attempts.Add(new HeavyTaskFence(claimed.Id, 1, Guid.Empty), claimed, 0);
        receivers.Stop();
        receivers.IsStopped(endpoint.Proxy).ShouldBeTrue();

        clock.Advance(TimeSpan.FromMinutes(10));
        receivers.TryStart().ShouldBeFalse();
        endpoint.Stops.ShouldBe(1, "it waits for its task");

        // Settled, though its handler has not returned.
        running.MarkSettled();
        receivers.TryStart().ShouldBeFalse();
        endpoint.Stops.ShouldBe(2, "nothing runs, and it has not ended");

        receivers.TryStart().ShouldBeTrue();
        endpoint.Starts.ShouldBe(1);
        receivers.IsStopped(endpoint.Proxy).ShouldBeFalse();
        attempts.Remove(running);
        running.Dispose();
    }

    [Fact]
    public void What_is_stopped_on_purpose_nobody_else_starts_and_for_good_nobody_at_all()
    {
        var endpoint = new HangingEndpoint { Hangs = false };
        var receivers = new HeavyTaskReceivers(
            BusWith(endpoint),
            new RunningAttempts(),
            new ManualTime(),
            NullLogger<HeavyTaskReceivers>.Instance
        );
        receivers.StartUnlessStopped(endpoint.Proxy);
        endpoint.Starts.ShouldBe(1);

        receivers.Stop();
        receivers.StartUnlessStopped(endpoint.Proxy);
        endpoint.Starts.ShouldBe(1);
        (receivers.IsStopped("test.kind"), receivers.IsStopped("other.kind")).ShouldBe((true, false));

        receivers.Stop(isForGood: true);
        receivers.TryStart().ShouldBeFalse();
        endpoint.Starts.ShouldBe(1);
    }

    private static IBusControl BusWith(HangingEndpoint endpoint)
    {
        var health = EndpointHealthResult.Healthy(endpoint.Proxy, "ready");
        return Answering.Of<IBusControl>(
            (method, _) =>
                method == nameof(IBusControl.CheckHealth)
                    ? BusHealthResult.Healthy("ready", new Dictionary<string, EndpointHealthResult> { ["queue"] = health })
                    : null
        );
    }

    // The first stop never ends.
    private sealed class HangingEndpoint
    {
        public HangingEndpoint() =>
            Proxy = Answering.Of<IReceiveEndpoint>(
                (method, _) =>
                    method switch
                    {
                        "get_InputAddress" => Queue,
                        nameof(IReceiveEndpoint.Stop) => ++Stops == 1 && Hangs ? new TaskCompletionSource().Task : Task.CompletedTask,
                        nameof(IReceiveEndpoint.Start) => Started(),
                        _ => null,
                    }
            );

        public IReceiveEndpoint Proxy { get; }

        public bool Hangs { get; init; } = true;

        public int Stops { get; private set; }

        public int Starts { get; private set; }

        private object? Started()
        {
            Starts++;
            return null;
        }
    }

    // Public, because the proxy is made in another assembly.
    public class Answering : DispatchProxy
    {
        private Func<string, object?[]?, object?> answer = null!;

        public static T Of<T>(Func<string, object?[]?, object?> answer)
            where T : class
        {
            var proxy = Create<T, Answering>();
            ((Answering)(object)proxy).answer = answer;
            return proxy;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => answer(targetMethod!.Name, args);
    }
}

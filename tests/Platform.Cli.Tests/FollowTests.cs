using Microsoft.AspNetCore.Http;
using Platform.Cli.Api;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

public sealed class FollowTests
{
    [Fact]
    public async Task Every_change_is_one_line_and_the_end_is_on_standard_output()
    {
        await using var api = await Answering(
            Tasks.Waiting("Scheduled"),
            Tasks.Waiting(),
            Tasks.Waiting(),
            Tasks.Running(10, 200, "reading"),
            Tasks.Running(10, 200, "reading"),
            Tasks.Running(150, 200, "reading"),
            Tasks.Succeeded()
        );

        var run = await CliRun.RunAsync(api, Fast(), "follow", Tasks.Id);

        run.ExitCode.ShouldBe(0);
        run.ErrorLines.Select(line => line[22..])
            .ShouldBe([
                "Scheduled",
                "Queued",
                "Running, attempt 1  5 %  10 / 200  reading",
                "Running, attempt 1  75 %  150 / 200  reading",
                "Succeeded",
            ]);
        run.Output.ShouldBe(
            $"""
            Succeeded after 12.3 s.
              rows      200,000
              imported  199,998
            Result file: platform download {Tasks.Id}

            """
        );
    }

    [Fact]
    public async Task Failed_task_ends_with_1_and_its_error()
    {
        await using var api = await Answering(Tasks.Running(), Tasks.Failed("The file has no column 'name'.\nIt has: id, title."));

        var run = await CliRun.RunAsync(api, "follow", Tasks.Id);

        run.ExitCode.ShouldBe(1);
        run.Output.ShouldBe(
            $"""
            Failed, attempt 3.
              The file has no column 'name'.
              It has: id, title.
            Run it again: platform retry {Tasks.Id}

            """
        );
    }

    [Fact]
    public async Task Cancelled_task_ends_with_1()
    {
        await using var api = await Answering(Tasks.Running(), Tasks.Cancelled());

        var run = await CliRun.RunAsync(api, "follow", Tasks.Id);

        run.ExitCode.ShouldBe(1);
        run.Output.ShouldStartWith("Cancelled after 12.3 s.");
    }

    [Fact]
    public async Task Restart_of_the_api_is_survived()
    {
        var isUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isBack = false;
        await using var api = await StandInApi.StartAsync(async context =>
        {
            await StandInApi.AnswerAsync(context, isBack ? Tasks.Succeeded() : Tasks.Running(1, 2));
            isUp.TrySetResult();
        });
        var outage = new LineAwaiter("cannot be reached");

        var following = CliRun.RunAsync(api, new Surroundings { ErrorTap = outage }, "follow", Tasks.Id);
        await isUp.Task;
        await api.StopAsync();
        await outage.Seen;
        isBack = true;
        await api.StartAsync();
        var run = await following;

        run.ExitCode.ShouldBe(0);
        run.Output.ShouldStartWith("Succeeded");
        run.ErrorLines.Count(line => line.Contains("Trying again for 30 s.", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    public async Task Failing_answers_in_between_are_survived(int status)
    {
        var polls = 0;
        await using var api = await StandInApi.StartAsync(context =>
            ++polls switch
            {
                1 => StandInApi.AnswerAsync(context, Tasks.Running(1, 2)),
                < 5 => StandInApi.AnswerAsync(context, """{"title":"Starting"}""", status),
                5 => StandInApi.AnswerAsync(context, Tasks.Running(1, 2)),
                _ => StandInApi.AnswerAsync(context, Tasks.Succeeded()),
            }
        );

        var run = await CliRun.RunAsync(api, Fast(), "follow", Tasks.Id);

        run.ExitCode.ShouldBe(0);
        // The outage and the recovery are lines; the tries in between are not.
        run.ErrorLines.Select(line => line[22..])
            .ShouldBe([
                "Running, attempt 1  50 %  1 / 2",
                $"The API at {api.Url} failed ({status} Starting). Trying again for 30 s.",
                "Running, attempt 1  50 %  1 / 2",
                "Succeeded",
            ]);
    }

    [Fact]
    public async Task Poll_that_hangs_is_given_up_and_repeated()
    {
        var polls = 0;
        await using var api = await StandInApi.StartAsync(context =>
            ++polls switch
            {
                1 => StandInApi.AnswerAsync(context, Tasks.Running()),
                2 => StandInApi.SilenceAsync(context),
                _ => StandInApi.AnswerAsync(context, Tasks.Succeeded()),
            }
        );

        var run = await CliRun.RunAsync(
            api,
            new Surroundings { Timeouts = new HttpTimeouts { Poll = TimeSpan.FromSeconds(1) } },
            "follow",
            Tasks.Id
        );

        run.ExitCode.ShouldBe(0);
        run.Error.ShouldContain("gave no answer for 1 s");
    }

    [Fact]
    public async Task Outage_of_30_s_ends_with_4()
    {
        await using var api = await StandInApi.StartAsync(async context =>
        {
            await StandInApi.AnswerAsync(context, Tasks.Running());
            context.Response.OnCompleted(() => Task.CompletedTask);
        });
        var clock = new FastClock(factor: 20);
        var isRunning = new LineAwaiter("Running");

        var following = CliRun.RunAsync(api, Fast(clock) with { ErrorTap = isRunning }, "follow", Tasks.Id);
        await isRunning.Seen;
        await api.StopAsync();
        var down = clock.GetTimestamp();
        var run = await following;

        run.ExitCode.ShouldBe(4);
        run.ErrorLines[^1].ShouldBe($"error: The API at {api.Url} cannot be reached: Connection refused.");
        clock.GetElapsedTime(down).ShouldBeGreaterThan(TimeSpan.FromSeconds(29));
    }

    [Fact]
    public async Task Api_that_was_never_there_is_not_waited_for()
    {
        await using var api = await StandInApi.StartAsync(Tasks.Running());
        await api.StopAsync();
        var clock = new FastClock(factor: 1);

        var run = await CliRun.RunAsync(api, new Surroundings { Clock = clock }, "follow", Tasks.Id);

        run.ExitCode.ShouldBe(4);
        clock.Waits.ShouldBe([new HttpTimeouts().Poll]);
    }

    [Fact]
    public async Task Task_that_vanishes_ends_with_3()
    {
        var polls = 0;
        await using var api = await StandInApi.StartAsync(context =>
            ++polls is 1
                ? StandInApi.AnswerAsync(context, Tasks.Running())
                : StandInApi.AnswerAsync(context, """{"title":"No such task"}""", 404)
        );

        var run = await CliRun.RunAsync(api, "follow", Tasks.Id);

        run.ExitCode.ShouldBe(3);
        run.Error.ShouldContain("No such task");
    }

    [Fact]
    public async Task Polls_are_close_after_a_change_and_never_further_apart_than_a_second()
    {
        await using var api = await Answering([
            Tasks.Waiting(),
            .. Enumerable.Repeat(Tasks.Waiting(), 6),
            Tasks.Running(1, 9),
            Tasks.Running(2, 9),
            Tasks.Succeeded(),
        ]);
        var clock = new FastClock(factor: 5);

        await CliRun.RunAsync(api, Fast(clock), "follow", Tasks.Id);

        clock
            .Waits.Where(wait => wait <= TimeSpan.FromSeconds(2))
            .Select(wait => (int)wait.TotalMilliseconds)
            .ShouldBe([250, 375, 562, 843, 1000, 1000, 1000, 250, 375]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Interruption_ends_with_130_and_leaves_the_task_alone(bool isInteractive)
    {
        using var interrupt = new CancellationTokenSource();
        await using var api = await StandInApi.StartAsync(async context =>
        {
            await StandInApi.AnswerAsync(context, Tasks.Running());
            await interrupt.CancelAsync();
        });

        var run = await CliRun.RunAsync(
            api,
            new Surroundings { CancellationToken = interrupt.Token, IsInteractive = isInteractive },
            "follow",
            Tasks.Id
        );

        run.ExitCode.ShouldBe(130);
        run.Error.ShouldContain($"the task is not affected. Go on with: platform follow {Tasks.Id}");
        run.OutputBytes.ShouldBeEmpty();
        api.Requests.ShouldAllBe(request => request == $"GET /heavy-tasks/{Tasks.Id}");
    }

    [Fact]
    public async Task Terminal_gets_a_bar_and_the_same_end()
    {
        var bar = new LineAwaiter("50 %");
        await using var api = await StandInApi.StartAsync(context =>
            StandInApi.AnswerAsync(context, bar.Seen.IsCompleted ? Tasks.Succeeded() : Tasks.Running(50, 100, "reading"))
        );

        var run = await CliRun.RunAsync(api, new Surroundings { IsInteractive = true, ErrorTap = bar }, "follow", Tasks.Id);

        run.ExitCode.ShouldBe(0);
        run.Error.ShouldContain("\u001b[");
        run.Error.ShouldContain("50 / 100");
        run.Output.ShouldStartWith("Succeeded after 12.3 s.\n");
        run.Output.ShouldNotContain("\u001b");
    }

    private static Surroundings Fast(FastClock? clock = null) =>
        new()
        {
            Clock = clock ?? new FastClock(factor: 10),
            Timeouts = new HttpTimeouts { Poll = TimeSpan.FromHours(1) },
        };

    private static Task<StandInApi> Answering(params string[] answers)
    {
        var queue = new Queue<string>(answers);
        return StandInApi.StartAsync(context => StandInApi.AnswerAsync(context, queue.Dequeue()));
    }
}

using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Platform.Cli.Api;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

/// <summary><c>kinds purge</c>.</summary>
public sealed class PurgeKindTests
{
    [Fact]
    public async Task Nothing_is_cancelled_where_nobody_can_be_asked()
    {
        await using var api = await StandInApi.StartAsync(Purged(1));

        // What standard input says is not an answer of a person.
        var run = await CliRun.RunAsync(api, new Surroundings { Input = "y\n" }, "kinds", "purge", "users.import");

        run.ExitCode.ShouldBe(2);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("--yes");
        api.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("n\n")]
    [InlineData("users.import\n")]
    public async Task Nothing_is_cancelled_unless_the_answer_is_yes(string answer)
    {
        await using var api = await StandInApi.StartAsync(Purged(1));

        var run = await CliRun.RunAsync(api, new Surroundings { Input = answer, CanAsk = true }, "kinds", "purge", "users.import");

        run.ExitCode.ShouldBe(2);
        run.Error.ShouldBe("Cancel all tasks of users.import that wait? [y/N] Nothing was cancelled.\n");
        run.OutputBytes.ShouldBeEmpty();
        api.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_key_without_the_role_cancels_nothing()
    {
        await using var api = await StandInApi.StartAsync("""{"title":"Forbidden","detail":"The role operate is needed."}""", 403);

        var run = await CliRun.RunAsync(api, "kinds", "purge", "users.import", "--yes");

        run.ExitCode.ShouldBe(3);
        run.ErrorLines.ShouldBe(["error: The API refused (403 Forbidden).", "  The role operate is needed."]);
        run.OutputBytes.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"kind":"users.import","hasMore":false}""")]
    [InlineData("""{"kind":"users.import","cancelled":1}""")]
    public async Task An_answer_that_does_not_say_how_many_is_not_the_apis(string answer)
    {
        await using var other = await StandInApi.StartAsync(answer);

        var run = await CliRun.RunAsync(other, "kinds", "purge", "users.import", "--yes", "--json");

        run.ExitCode.ShouldBe(4);
        run.ErrorLines[^1].ShouldStartWith($"error: {other.Url} does not answer like the API: ");
        run.OutputBytes.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_api_that_cannot_be_reached_has_cancelled_nothing()
    {
        var api = await StandInApi.StartAsync(Purged(1));
        await api.DisposeAsync();

        var run = await CliRun.RunAsync(api, "kinds", "purge", "users.import", "--yes");

        run.ExitCode.ShouldBe(4);
        run.ErrorLines.ShouldHaveSingleItem().ShouldContain("cannot be reached");
    }

    [Fact]
    public async Task A_failure_in_the_middle_says_how_many_there_were_before()
    {
        var requests = 0;
        await using var api = await StandInApi.StartAsync(context =>
            ++requests is 1 ? StandInApi.AnswerAsync(context, Purged(10_000, hasMore: true)) : StandInApi.AnswerAsync(context, "{}", 503)
        );

        var run = await CliRun.RunAsync(api, "kinds", "purge", "users.import", "--yes");

        run.ExitCode.ShouldBe(4);
        run.ErrorLines[..2]
            .ShouldBe(["10,000 tasks cancelled so far.", "Stopped after 10,000 tasks; the last request may have cancelled more."]);
        run.OutputBytes.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("y\n")]
    [InlineData("YES\n")]
    [InlineData(null)]
    public async Task All_that_waits_is_cancelled_in_as_many_requests_as_it_takes(string? answer)
    {
        var answers = new Queue<string>([Purged(10_000, hasMore: true), Purged(10_000, hasMore: true), Purged(1)]);
        await using var api = await StandInApi.StartAsync(context => StandInApi.AnswerAsync(context, answers.Dequeue()));

        var run = await CliRun.RunAsync(
            api,
            new Surroundings { Input = answer ?? "", CanAsk = answer is not null },
            ["kinds", "purge", "users.import", .. answer is null ? ["--yes"] : Array.Empty<string>()]
        );

        run.ExitCode.ShouldBe(0);
        run.Output.ShouldBe("20,001 tasks cancelled.\n");
        run.Error.ShouldEndWith("10,000 tasks cancelled so far.\n20,000 tasks cancelled so far.\n");
        const string Again = "POST /heavy-tasks/kinds/users.import/purge?createdBefore=2026-01-02T03%3A04%3A05.0060000Z";
        api.Requests.ShouldBe(["POST /heavy-tasks/kinds/users.import/purge", Again, Again]);
    }

    [Theory]
    [InlineData(0, "No task of users.import waited.\n")]
    [InlineData(1, "1 task cancelled.\n")]
    public async Task Few_are_counted_in_words(int cancelled, string said)
    {
        await using var api = await StandInApi.StartAsync(Purged(cancelled));

        var run = await CliRun.RunAsync(api, "kinds", "purge", "users.import", "--yes");

        (run.ExitCode, run.Output, run.Error).ShouldBe((0, said, ""));
    }

    [Fact]
    public async Task An_api_that_always_has_more_but_cancels_nothing_is_not_asked_for_ever()
    {
        await using var api = await StandInApi.StartAsync(Purged(0, hasMore: true));

        var run = await CliRun.RunAsync(api, "kinds", "purge", "users.import", "--yes");

        run.ExitCode.ShouldBe(0);
        api.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Json_is_one_document_with_the_sum()
    {
        var answers = new Queue<string>([Purged(10_000, hasMore: true), Purged(5)]);
        await using var api = await StandInApi.StartAsync(context => StandInApi.AnswerAsync(context, answers.Dequeue()));

        var run = await CliRun.RunAsync(api, "kinds", "purge", "users.import", "--yes", "--json");

        run.Output.ShouldBe("{\"kind\":\"users.import\",\"cancelled\":10005}\n");
    }

    [Fact]
    public async Task Ctrl_C_ends_it_at_once_and_says_how_many_so_far()
    {
        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var (requests, gone) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await using var api = await StandInApi.StartAsync(async context =>
        {
            if (++requests is 1)
            {
                await StandInApi.AnswerAsync(context, Purged(10_000, hasMore: true));
                return;
            }

            await interrupt.CancelAsync();
            await StandInApi.SilenceAsync(context);
            gone.SetResult();
        });

        var run = await CliRun.RunAsync(
            api,
            new Surroundings { CancellationToken = interrupt.Token },
            "kinds",
            "purge",
            "users.import",
            "--yes"
        );

        run.ExitCode.ShouldBe(130);
        run.ErrorLines[^1].ShouldBe("Stopped after 10,000 tasks; the last request may have cancelled more.");
        run.OutputBytes.ShouldBeEmpty();
        // The API learns of it, and cancels no more.
        await gone.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Ctrl_C_is_an_answer_to_the_question()
    {
        await using var api = await StandInApi.StartAsync(Purged(1));
        using var interrupt = new CancellationTokenSource();
        await interrupt.CancelAsync();

        var run = await CliRun.RunAsync(
            api,
            new Surroundings
            {
                Input = "y\n",
                CanAsk = true,
                CancellationToken = interrupt.Token,
            },
            "kinds",
            "purge",
            "users.import"
        );

        run.ExitCode.ShouldBe(130);
        api.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_request_of_thousands_of_tasks_has_a_limit_of_its_own_and_may_have_cancelled_some()
    {
        await using var api = await StandInApi.StartAsync(StandInApi.SilenceAsync);
        var surroundings = new Surroundings { Timeouts = new HttpTimeouts { Purge = TimeSpan.FromSeconds(0.3) } };

        var run = await CliRun.RunAsync(api, surroundings, "kinds", "purge", "users.import", "--yes");

        run.ExitCode.ShouldBe(4);
        run.ErrorLines.ShouldBe([
            "Stopped after 0 tasks; the last request may have cancelled more.",
            $"error: The API at {api.Url} gave no answer for 0.3 s.",
        ]);
    }

    private static string Purged(int cancelled, bool hasMore = false) =>
        $$"""{"kind":"users.import","cancelled":{{cancelled}},"hasMore":{{(hasMore ? "true" : "false")}},"createdBefore":"2026-01-02T03:04:05.006Z"}""";
}

using Platform.Cli.Sizing;
using Platform.Cli.Tests.Support;

namespace Platform.Cli.Tests;

public sealed class SizeTests
{
    private static Task<CliRun> SizeAsync(params string[] args) => CliRun.RunAsync(new Surroundings(), ["size", .. args]);

    [Fact]
    public async Task Settings_carry_the_rate_with_headroom_and_pass_the_start_up_check()
    {
        var run = await SizeAsync("--rate", "20/s", "--run", "1s", "--database", "300ms", "--replicas", "3", "--json");

        run.ExitCode.ShouldBe(ExitCode.Ok);
        // 20 tasks at once and 70 % busy give 28.6 slots, which is 10 per replica.
        run.Json.GetProperty("load").GetDouble().ShouldBe(20);
        run.Json.GetProperty("concurrency").GetInt32().ShouldBe(10);
        run.Json.GetProperty("maxPoolSize").GetInt32().ShouldBe(16);
        run.Json.GetProperty("busyConnections").GetDouble().ShouldBe(6);
        run.Json.GetProperty("totalConnections").GetInt32().ShouldBe((3 * 17) + 10);
        run.Json.GetProperty("fits").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Settings_can_be_pasted()
    {
        var run = await SizeAsync("--rate", "20/s", "--run", "1s", "--replicas", "3", "--kind", "users.export");

        var json = run.Output[run.Output.IndexOf('{', StringComparison.Ordinal)..];
        var settings = System.Text.Json.JsonElement.Parse(json);
        settings.GetProperty("Database").GetProperty("MaxPoolSize").GetInt32().ShouldBe(16);
        settings
            .GetProperty("HeavyTasks")
            .GetProperty("Kinds")
            .GetProperty("users.export")
            .GetProperty("Concurrency")
            .GetInt32()
            .ShouldBe(10);
    }

    [Fact]
    public async Task More_connections_than_the_server_has_are_reported_with_a_way_out()
    {
        var run = await SizeAsync("--rate", "200/s", "--run", "1s", "--database", "100ms", "--replicas", "10");

        run.ExitCode.ShouldBe(ExitCode.Ok);
        run.Output.ShouldContain("more than the server has");
        run.Output.ShouldContain("PlatformDirect");
    }

    [Fact]
    public async Task Loss_of_a_replica_that_the_others_cannot_carry_is_said()
    {
        var run = await SizeAsync("--rate", "20/s", "--run", "1s", "--replicas", "2");

        run.Output.ShouldContain("one replica gone     the queue grows by 5/s");
    }

    [Theory]
    [InlineData("--rate", "20/s")]
    [InlineData("--rate", "often", "--run", "1s")]
    [InlineData("--rate", "0/s", "--run", "1s")]
    [InlineData("--rate", "20/s", "--run", "1")]
    [InlineData("--rate", "20/s", "--run", "1s", "--database", "2s")]
    [InlineData("--rate", "20/s", "--run", "1s", "--replicas", "0")]
    [InlineData("--rate", "5000/s", "--run", "1s")]
    public async Task Impossible_demands_are_bad_usage(params string[] args)
    {
        var run = await SizeAsync(args);

        run.ExitCode.ShouldBe(ExitCode.Usage);
        run.Output.ShouldBeEmpty();
        run.Error.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("20", 20)]
    [InlineData("90/min", 1.5)]
    [InlineData("1800/h", 0.5)]
    public void Rates_are_read_per_second(string text, double perSecond) => Quantities.Rate(text).ShouldBe(perSecond);

    [Theory]
    [InlineData("300ms", 0.3)]
    [InlineData("1.5 min", 90)]
    [InlineData("2h", 7200)]
    public void Times_are_read_in_their_units(string text, double seconds) => Quantities.Time(text).ShouldBe(TimeSpan.FromSeconds(seconds));

    /// <summary>With two slots and one task at once on average, Erlang C is 1/3, a textbook value.</summary>
    [Fact]
    public void Waiting_follows_erlang_c()
    {
        var line = new WaitingLine(1, TimeSpan.FromSeconds(1), 2);

        line.WaitProbability.ShouldBe(1 / 3.0, 1e-9);
        line.MeanWait()!.Value.TotalSeconds.ShouldBe(1 / 3.0, 1e-6);
        line.MeanWait(variation: 0)!.Value.TotalSeconds.ShouldBe(1 / 6.0, 1e-6);
    }

    [Fact]
    public void One_slot_waits_as_the_single_server_queue_does()
    {
        var line = new WaitingLine(0.8, TimeSpan.FromSeconds(1), 1);

        line.WaitProbability.ShouldBe(0.8, 1e-9);
        line.MeanWait()!.Value.TotalSeconds.ShouldBe(4, 1e-6);
    }

    [Fact]
    public void Slots_that_do_not_keep_up_have_no_mean_wait_but_a_growing_line()
    {
        var line = new WaitingLine(10, TimeSpan.FromSeconds(1), 8);

        line.MeanWait().ShouldBeNull();
        line.Throughput.ShouldBe(8);
        line.Growth.ShouldBe(2);
        line.MeanWaitInBurst(TimeSpan.FromSeconds(40)).TotalSeconds.ShouldBe(5, 1e-6);
    }

    [Fact]
    public void Many_slots_do_not_overflow()
    {
        var line = new WaitingLine(900, TimeSpan.FromSeconds(1), 1000);

        line.WaitProbability.ShouldBeInRange(0, 0.01);
    }
}

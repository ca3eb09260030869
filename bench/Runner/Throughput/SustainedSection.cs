namespace Platform.Runner.Throughput;

/// <summary>
/// Counts tasks that became Succeeded within the measured seconds while the load generator submits over HTTP and always keeps a window of
/// unfinished tasks. So it measures a task's whole way, with all processes on the same machine. Bare limit: an endpoint that publishes the
/// message and waits for the confirm, and the bare consumer that inserts the row.
/// </summary>
internal static class SustainedSection
{
    private const int Window = 1_000;

    private static readonly TimeSpan RampUp = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(20);

    public static async Task RunAsync(Installation installation, Report report)
    {
        await using var api = await installation.StartApiAsync(installation.Platform);
        await using var worker = await installation.StartWorkerAsync();
        await using var publisher = await installation.StartBareAsync();
        await using var consumer = await installation.StartBareConsumerAsync();
        await Rounds.RunAsync(
            "sustained",
            installation.Options.Rounds,
            report,
            round => MeasureAsync(installation, "platform", round, api, worker, "/heavy-tasks", Subjects.Json(Installation.Kind)),
            round => MeasureAsync(installation, Measurement.Bare, round, publisher, consumer, "/messages", Subjects.Json(Subjects.BareKind))
        );
    }

    private static async Task<Measurement> MeasureAsync(
        Installation installation,
        string subject,
        int round,
        Service submit,
        Service run,
        string path,
        string json
    )
    {
        var options = installation.Options;
        var database = installation.Platform.Database;
        await database.ResetAsync();
        using var free = new SemaphoreSlim(Window);
        using var end = new CancellationTokenSource();
        var accepted = 0;
        var load = HttpLoad.RunAsync(
            submit,
            path,
            json,
            options.Connections,
            TimeSpan.MaxValue,
            async () =>
            {
                try
                {
                    await free.WaitAsync(end.Token);
                    Interlocked.Increment(ref accepted);
                    return true;
                }
                catch (OperationCanceledException)
                {
                    return false;
                }
            }
        );
        var release = ReleaseAsync(database, free, end.Token);

        var (perSecond, used) = (0.0, default(CpuReading));
        try
        {
            await Task.Delay(RampUp, TimeProvider.System, CancellationToken.None);
            var cpu = await installation.StartCpuAsync(("api", submit), ("worker", run));
            var usersBefore = await database.UsersAsync();
            var start = TimeProvider.System.GetTimestamp();
            await Task.Delay(TimeSpan.FromSeconds(options.Seconds), TimeProvider.System, CancellationToken.None);
            if (round == 0)
            {
                // The warm-up must run as much code as the measured rounds do: just-in-time compilation takes seconds of both cores.
                var enough = usersBefore + (Rounds.WarmUp * options.Tasks);
                await Patience.WaitAsync(
                    async () => load.IsCompleted || release.IsCompleted || await database.LastUserIdAsync() >= enough,
                    $"{enough} rows",
                    Patience.Limit
                );
            }

            var users = await database.UsersAsync() - usersBefore;
            perSecond = users / TimeProvider.System.GetElapsedTime(start).TotalSeconds;
            used = cpu.Stop(users);
        }
        finally
        {
            await end.CancelAsync();
        }

        // If one of them failed, this throws its error.
        await Task.WhenAll(load, release);
        await database.WaitForUsersAsync(accepted);
        if (subject == "platform")
        {
            await installation.CheckTasksAsync(accepted);
        }

        return new Measurement("sustained", subject, round, perSecond) { CpuMicroseconds = used!.Microseconds, Elsewhere = used.Elsewhere };
    }

    // Each finished task allows one more to be submitted.
    private static async Task ReleaseAsync(Database database, SemaphoreSlim free, CancellationToken end)
    {
        var seen = 0L;
        while (!end.IsCancellationRequested)
        {
            var now = await database.LastUserIdAsync();
            if (now > seen)
            {
                free.Release((int)(now - seen));
                seen = now;
            }

            await Task.Delay(LookInterval, TimeProvider.System, CancellationToken.None);
        }
    }
}

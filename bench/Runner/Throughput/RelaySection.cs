namespace Platform.Runner.Throughput;

/// <summary>
/// Counts messages that were saved in the outbox, confirmed by the broker (persistent, quorum queue) and deleted from the outbox. "backlog"
/// measures the relay alone: the messages were saved while it was paused. "saves of N" saves N messages per commit while the relay runs,
/// and the commits are part of the time. Bare limit: MassTransit publishes the same messages with confirms, without a database.
/// </summary>
internal static class RelaySection
{
    private const int MessagesPerSave = 100;

    public static async Task RunAsync(Installation installation, Report report)
    {
        await using var bare = await installation.StartBareAsync();
        await using var platform = await installation.StartOutboxAsync(installation.Platform);
        await using var other = installation.MassTransit is { } massTransit ? await installation.StartOutboxAsync(massTransit) : null;
        await Rounds.RunAsync(
            "relay",
            installation.Options.Rounds,
            report,
            [
                .. OutboxSubjects(installation, platform),
                round =>
                    MeasureAsync(
                        installation,
                        Measurement.Bare,
                        round,
                        bare,
                        count =>
                            bare.PostAsync<double>(
                                $"/publish?kind={Installation.Kind}&count={count}&publishers={installation.Options.Publishers}"
                            )
                    ),
                .. other is null ? [] : OutboxSubjects(installation, other),
            ]
        );
    }

    private static IEnumerable<Func<int, Task<Measurement>>> OutboxSubjects(Installation installation, Service outbox)
    {
        var name = outbox.Variant.Name;
        yield return round =>
            MeasureAsync(
                installation,
                $"backlog{name}",
                round,
                outbox,
                _ => DrainAsync(outbox),
                count => FillAsync(installation, outbox, count)
            );
        yield return round =>
            MeasureAsync(
                installation,
                $"saves of {MessagesPerSave}{name}",
                round,
                outbox,
                count => SaveAsync(installation, outbox, count, MessagesPerSave)
            );
        yield return round =>
            MeasureAsync(installation, $"saves of 1{name}", round, outbox, count => SaveAsync(installation, outbox, count, 1));
    }

    private static async Task<Measurement> MeasureAsync(
        Installation installation,
        string subject,
        int round,
        Service service,
        Func<int, Task<double>> measure,
        Func<int, Task>? prepare = null
    )
    {
        var count = installation.Options.Tasks * (round == 0 ? Rounds.WarmUp : 1);
        await service.Variant.Database.ResetAsync();
        if (prepare is not null)
        {
            await prepare(count);
        }

        var cpu = await installation.StartCpuAsync(("service", service));
        var seconds = await measure(count);
        var used = cpu.Stop(count);
        await installation.Broker.PurgeAsync(Subjects.Queue(Installation.Kind));
        return new Measurement("relay", subject, round, count / seconds)
        {
            CpuMicroseconds = used.Microseconds,
            Elsewhere = used.Elsewhere,
        };
    }

    private static async Task<double> SaveAsync(Installation installation, Service outbox, int count, int perSave)
    {
        var start = TimeProvider.System.GetTimestamp();
        await outbox.PostAsync<double>(
            $"/save?kind={Installation.Kind}&count={count}&publishers={installation.Options.Publishers}&perSave={perSave}"
        );
        await outbox.Variant.Database.WaitForEmptyOutboxAsync();
        return TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task<double> DrainAsync(Service outbox)
    {
        var start = TimeProvider.System.GetTimestamp();
        outbox.Resume();
        await outbox.Variant.Database.WaitForEmptyOutboxAsync();
        return TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    private static Task FillAsync(Installation installation, Service outbox, int count)
    {
        outbox.Pause();
        return installation.SaveBacklogAsync(outbox.Variant, count);
    }
}

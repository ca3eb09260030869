namespace Platform.Runner.Throughput;

/// <summary>
/// Counts tasks from the moment when the warm worker, which was paused while the queue was filled, goes on, until all tasks are Succeeded
/// (the task's row, its attempt, the handler's row and the event HeavyTaskSucceeded in the outbox are committed). Bare limit: a MassTransit
/// consumer that inserts the same row, from a queue filled with as many messages.
/// </summary>
internal static class DrainSection
{
    public static async Task RunAsync(Installation installation, Report report)
    {
        await using var api = await installation.StartApiAsync(installation.Platform);
        await using var worker = await installation.StartWorkerAsync();
        await using var publisher = await installation.StartBareAsync();
        await using var consumer = await installation.StartBareConsumerAsync();
        await using var tuned = await installation.StartTunedBareConsumerAsync();
        var options = installation.Options;
        await Rounds.RunAsync(
            "drain",
            options.Rounds,
            report,
            round =>
                MeasureAsync(
                    installation,
                    "platform",
                    round,
                    worker,
                    async count =>
                    {
                        await HttpLoad.RunAsync(api, "/heavy-tasks", Subjects.Json(Installation.Kind), options.Connections, count);
                        await installation.Platform.Database.WaitForEmptyOutboxAsync();
                    }
                ),
            round => MeasureAsync(installation, Measurement.Bare, round, consumer, count => PublishAsync(Subjects.BareKind, count)),
            round => MeasureAsync(installation, DatabaseKind.TunedBare, round, tuned, count => PublishAsync(Subjects.TunedKind, count))
        );

        Task PublishAsync(string kind, int count) =>
            publisher.PostAsync<double>($"/publish?kind={kind}&count={count}&publishers={options.Publishers}");
    }

    private static async Task<Measurement> MeasureAsync(
        Installation installation,
        string subject,
        int round,
        Service service,
        Func<int, Task> fill
    )
    {
        var count = round == 0 ? Rounds.WarmUp * installation.Options.Tasks : installation.Options.Tasks;
        var database = installation.Platform.Database;
        await database.ResetAsync();
        service.Pause();
        await fill(count);
        var cpu = await installation.StartCpuAsync(("worker", service));
        var start = TimeProvider.System.GetTimestamp();
        service.Resume();
        await database.WaitForUsersAsync(count);
        var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        var used = cpu.Stop(count);
        if (subject == "platform")
        {
            await installation.CheckTasksAsync(count);
        }

        return new Measurement("drain", subject, round, count / seconds)
        {
            CpuMicroseconds = used.Microseconds,
            Elsewhere = used.Elsewhere,
        };
    }
}

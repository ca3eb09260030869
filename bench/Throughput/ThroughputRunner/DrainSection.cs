namespace Platform.ThroughputRunner;

/// <summary>
/// Counted: tasks from the moment when the warm worker, paused while the queue was filled, goes on, until all are Succeeded (the
/// task's row, its attempt, the handler's row and the event HeavyTaskSucceeded in the outbox committed). Bare limit: a MassTransit
/// consumer that inserts the same row, from a queue filled with as many messages.
/// </summary>
internal static class DrainSection
{
    public static async Task RunAsync(Installation installation, Report report)
    {
        await using var api = await installation.StartApiAsync();
        await using var worker = await installation.StartWorkerAsync();
        await using var publisher = await installation.StartBareAsync();
        await using var consumer = await installation.StartBareConsumerAsync();
        await using var prepared = await installation.StartPreparedBareConsumerAsync();
        var options = installation.Options;
        await Rounds.RunAsync(
            options.Rounds,
            report,
            round => MeasureAsync(installation, "platform", round, worker, async count =>
            {
                await HttpLoad.RunAsync(api.Address, "/heavy-tasks", Installation.Json(Installation.Kind), options.Connections, count);
                await installation.Database.WaitForEmptyOutboxAsync();
            }),
            round => MeasureAsync(installation, Measurement.Bare, round, consumer, count => PublishAsync(Installation.BareKind, count)),
            round => MeasureAsync(installation, Measurement.PreparedBare, round, prepared, count => PublishAsync(Installation.PreparedKind, count)));

        Task PublishAsync(string kind, int count) =>
            publisher.PostAsync<double>($"/publish?kind={kind}&count={count}&publishers={options.Publishers}");
    }

    private static async Task<Measurement> MeasureAsync(Installation installation, string subject, int round, Service service, Func<int, Task> fill)
    {
        var count = round == 0 ? Rounds.WarmUp * installation.Options.Tasks : installation.Options.Tasks;
        var database = installation.Database;
        await database.ResetAsync();
        var lastUserId = await database.LastUserIdAsync();
        service.Pause();
        await fill(count);
        var cpu = await installation.CpuAsync(("worker", service));
        var before = cpu.Read();
        var start = TimeProvider.System.GetTimestamp();
        service.Resume();
        await database.WaitForUsersAsync(lastUserId, count);
        var seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        var perOperation = cpu.PerOperation(before, count);
        if (service.RunsTasks)
        {
            await installation.CheckTasksAsync(count);
        }

        return new Measurement("drain", subject, round, count / seconds) { CpuMicroseconds = perOperation };
    }
}

using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Platform.Contracts;
using Platform.Persistence;
using Platform.ServiceDefaults;

namespace Platform.ThroughputRunner;

/// <summary>
/// Counted: messages that were saved in the outbox, confirmed by the broker (persistent, quorum queue) and deleted from the outbox.
/// "backlog": saved before, while the relay was paused; its work alone. "saves of N": handed over in memory by N messages a commit, and
/// the commits are part of the time. Bare limit: the same messages published by MassTransit with confirms, without database.
/// </summary>
internal static class RelaySection
{
    private const int MessagesPerSave = 100;

    public static async Task RunAsync(Installation installation, Report report)
    {
        await using var outbox = await installation.StartOutboxAsync();
        await using var bare = await installation.StartBareAsync();
        using var backlog = CreateBacklogWriter(installation);
        await Rounds.RunAsync(
            installation.Options.Rounds,
            report,
            round => MeasureAsync(installation, "backlog", round, outbox, () => DrainAsync(installation, outbox), () => FillAsync(installation, outbox, backlog)),
            round => MeasureAsync(installation, $"saves of {MessagesPerSave}", round, outbox, () => SaveAsync(installation, outbox, MessagesPerSave)),
            round => MeasureAsync(installation, "saves of 1", round, outbox, () => SaveAsync(installation, outbox, 1)),
            round => MeasureAsync(installation, Measurement.Bare, round, bare, () => bare.PostAsync<double>(
                $"/publish?kind={Installation.Kind}&count={installation.Options.Tasks}&publishers={installation.Options.Publishers}")));
    }

    private static async Task<Measurement> MeasureAsync(
        Installation installation, string subject, int round, Service service, Func<Task<double>> measure, Func<Task>? prepare = null)
    {
        await installation.Database.ResetAsync();
        if (prepare is not null)
        {
            await prepare();
        }

        var cpu = await installation.CpuAsync(("service", service));
        var before = cpu.Read();
        var seconds = await measure();
        var perOperation = cpu.PerOperation(before, installation.Options.Tasks);
        await installation.Broker.PurgeAsync(Installation.Queue(Installation.Kind));
        return new Measurement("relay", subject, round, installation.Options.Tasks / seconds) { CpuMicroseconds = perOperation };
    }

    private static async Task<double> SaveAsync(Installation installation, Service outbox, int perSave)
    {
        var options = installation.Options;
        var times = await outbox.PostAsync<SaveTimes>(
            $"/save?kind={Installation.Kind}&count={options.Tasks}&publishers={options.Publishers}&perSave={perSave}");
        return times.Delivered;
    }

    private static async Task<double> DrainAsync(Installation installation, Service outbox)
    {
        var start = TimeProvider.System.GetTimestamp();
        outbox.Resume();
        await installation.Database.WaitForEmptyOutboxAsync();
        return TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task FillAsync(Installation installation, Service outbox, IHost backlog)
    {
        outbox.Pause();
        for (var i = 0; i < installation.Options.Tasks; i += MessagesPerSave)
        {
            await using var scope = backlog.Services.CreateAsyncScope();
            for (var j = 0; j < MessagesPerSave; j++)
            {
                await scope.ServiceProvider.GetRequiredService<IPublishEndpoint>().Publish(new HeavyTaskRequested(Guid.CreateVersion7(), Installation.Kind));
            }

            await scope.ServiceProvider.GetRequiredService<PlatformDbContext>().SaveChangesAsync();
        }
    }

    // Never started: its relay does not run, so what it saves belongs to nobody, like the messages that a crash left behind.
    private static IHost CreateBacklogWriter(Installation installation)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration["ConnectionStrings:Platform"] = installation.Database.ConnectionString;
        builder.Configuration["RabbitMq:Uri"] = installation.Broker.Uri.ToString();
        builder.Services.AddLogging();
        builder.Services.AddPlatformBus("backlog");
        builder.Services.AddPlatformDatabase("backlog");
        return builder.Build();
    }

    private sealed record SaveTimes(double Saved, double Delivered);
}

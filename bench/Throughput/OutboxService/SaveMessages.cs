using MassTransit;
using Microsoft.EntityFrameworkCore;
using Platform.Contracts;
using Platform.Outbox;
using Platform.Persistence;

namespace Platform.OutboxService;

/// <param name="Saved">Seconds from the first call to the last commit.</param>
/// <param name="Delivered">Seconds from the first call until the broker had confirmed every message and the outbox was empty.</param>
public sealed record SaveTimes(double Saved, double Delivered);

internal static class SaveMessages
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>Saves <paramref name="count"/> messages from a number of publishers, each in saves of <paramref name="perSave"/>.</summary>
    public static async Task<SaveTimes> HandleAsync(
        string kind, int count, int publishers, int perSave, IServiceScopeFactory scopes, TimeProvider time)
    {
        var remaining = count / perSave;
        var start = time.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, publishers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref remaining) >= 0)
            {
                await SaveAsync(scopes, kind, perSave);
            }
        })));
        var saved = time.GetElapsedTime(start).TotalSeconds;
        while (await AnyAsync(scopes))
        {
            await Task.Delay(Pause, time, CancellationToken.None);
        }

        return new SaveTimes(saved, time.GetElapsedTime(start).TotalSeconds);
    }

    private static async Task SaveAsync(IServiceScopeFactory scopes, string kind, int count)
    {
        await using var scope = scopes.CreateAsyncScope();
        var publishEndpoint = scope.ServiceProvider.GetRequiredService<IPublishEndpoint>();
        for (var i = 0; i < count; i++)
        {
            await publishEndpoint.Publish(new HeavyTaskRequested(Guid.CreateVersion7(), kind));
        }

        await scope.ServiceProvider.GetRequiredService<PlatformDbContext>().SaveChangesAsync();
    }

    private static async Task<bool> AnyAsync(IServiceScopeFactory scopes)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<PlatformDbContext>().Set<OutboxMessage>().AnyAsync();
    }
}

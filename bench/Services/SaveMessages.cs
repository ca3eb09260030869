using MassTransit;
using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Persistence;

namespace Platform.Services;

internal static class SaveMessages
{
    /// <summary>
    /// Saves <paramref name="count"/> messages from several publishers, each with <paramref name="perSave"/> messages per save.
    /// </summary>
    /// <returns>The seconds from the first call to the last commit.</returns>
    public static async Task<double> HandleAsync(
        string kind,
        int count,
        int publishers,
        int perSave,
        IServiceScopeFactory scopes,
        TimeProvider time
    )
    {
        var remaining = count / perSave;
        var start = time.GetTimestamp();
        await Task.WhenAll(
            Enumerable
                .Range(0, publishers)
                .Select(_ =>
                    Task.Run(async () =>
                    {
                        while (Interlocked.Decrement(ref remaining) >= 0)
                        {
                            await SaveAsync(scopes, kind, perSave);
                        }
                    })
                )
        );
        return time.GetElapsedTime(start).TotalSeconds;
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
}

using MassTransit;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Platform.Bare;

/// <param name="Id">The id in the message.</param>
/// <param name="PublishedAt">The monotonic clock when Publish was called.</param>
public sealed record PublishedMessage(Guid Id, long PublishedAt);

/// <summary>
/// The bare limit of handing in work: publish, wait for the broker's confirm, then answer 202. There is no row, so the work is lost when
/// the broker is away.
/// </summary>
internal static class PublishMessage
{
    public static async Task<Accepted<PublishedMessage>> HandleAsync(InsertRowRequest request, IBus bus, TimeProvider time)
    {
        var id = Guid.CreateVersion7();
        var publishedAt = time.GetTimestamp();
        await bus.Publish(new BareMessage(id, request.Kind));
        return TypedResults.Accepted($"/messages/{id}", new PublishedMessage(id, publishedAt));
    }
}

using MassTransit;

namespace Platform.Bare;

/// <summary>
/// The bare limit of running tasks: a consumer on a quorum queue inserts one row with Entity Framework, without claim and outbox.
/// </summary>
internal sealed class RowConsumer(BareDbContext db, TimeProvider time) : IConsumer<BareMessage>
{
    public Task Consume(ConsumeContext<BareMessage> context)
    {
        db.Add(new UserRow { ExternalId = context.Message.TaskId.ToString(), Name = time.GetTimestamp().ToString() });
        return db.SaveChangesAsync();
    }
}

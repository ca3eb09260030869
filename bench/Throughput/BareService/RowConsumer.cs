using MassTransit;
using Platform.Contracts;
using Platform.HeavyTasks;
using Platform.Persistence;
using Platform.ServiceDefaults;

namespace Platform.BareService;

/// <summary>The bare limit of running tasks: a consumer on a quorum queue that inserts one row with Entity Framework. No claim, no outbox.</summary>
internal sealed class RowConsumer(BareDbContext db, TimeProvider time) : IConsumer<HeavyTaskRequested>
{
    public Task Consume(ConsumeContext<HeavyTaskRequested> context)
    {
        db.Add(new UserRow { ExternalId = context.Message.TaskId.ToString(), Name = time.GetTimestamp().ToString() });
        return db.SaveChangesAsync();
    }
}

internal static class RowEndpoint
{
    public static void AddRowEndpoint(this IBusFactoryConfigurator bus, IBusRegistrationContext context, string kind, ushort prefetch) =>
        bus.ReceiveEndpoint(
            HeavyTaskTopology.QueueName(kind),
            endpoint =>
            {
                endpoint.BindHeavyTaskKind(context, kind);
                endpoint.PrefetchCount = prefetch;
                endpoint.ConcurrentMessageLimit = prefetch;
                context.ConfigureConsumer<RowConsumer>(endpoint);
            }
        );
}

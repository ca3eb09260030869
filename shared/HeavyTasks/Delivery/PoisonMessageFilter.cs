using System.Globalization;
using System.Text.Json;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Platform.HeavyTasks;

/// <summary>
/// Ends the error and dead-letter pipes of a heavy-task queue: stores the message as it came, then acknowledges it. While the database is
/// away the message waits, because an unstored message must not be acknowledged.
/// </summary>
internal sealed partial class PoisonMessageFilter(IServiceProvider services, string queue)
    : IFilter<ExceptionReceiveContext>,
        IFilter<ReceiveContext>
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);
    private readonly ILogger logger = services.GetRequiredService<ILogger<PoisonMessageFilter>>();

    public async Task Send(ExceptionReceiveContext context, IPipe<ExceptionReceiveContext> next)
    {
        // MassTransit wraps the cancellation by which a draining worker refuses a message. Thrown again, it returns the message to its
        // queue.
        if (context.Exception is ConsumerCanceledException && services.GetRequiredService<HeavyTaskSlots>().HasDrained)
        {
            throw new OperationCanceledException("The worker drains.", context.Exception);
        }

        await StoreAsync(context, context.Exception.ToString());

        // Without this call MassTransit counts the message as skipped and sends it through the dead-letter pipe as well.
        await context.NotifyFaulted(context.Exception);
    }

    public Task Send(ReceiveContext context, IPipe<ReceiveContext> next) => StoreAsync(context, "No consumer takes messages of this type.");

    public void Probe(ProbeContext context) => context.CreateFilterScope("poison-messages");

    private async Task StoreAsync(ReceiveContext context, string error)
    {
        var time = services.GetRequiredService<TimeProvider>();
        var slots = services.GetRequiredService<HeavyTaskSlots>();
        var message = new PoisonMessage
        {
            Queue = queue,
            MessageId = Limit(
                context.TransportHeaders.Get<string>(MessageHeaders.TransportMessageId)
                    ?? context.TransportHeaders.Get<string>(MessageHeaders.MessageId)
                    ?? context.GetMessageId()?.ToString()
            ),
            ContentType = Limit(context.ContentType?.ToString()),
            Headers = JsonSerializer.Serialize(HeadersOf(context)),
            Body = context.GetBody(),
            Error = StorableText.Of(error),
            CreatedAt = time.GetUtcNow().UtcDateTime,
        };
        while (true)
        {
            try
            {
                await using var scope = services.CreateAsyncScope();
                var db = scope.ServiceProvider.GetRequiredService<EngineContext>().Db;
                db.PoisonMessages.Add(message);
                await db.SaveChangesAsync();
                Stored(logger, queue, message.MessageId);
                return;
            }
            catch (Exception exception) when (!slots.IsClosed)
            {
                NotStored(logger, queue, exception);
                await Task.Delay(RetryDelay, time, CancellationToken.None);
            }
        }
    }

    // A property of the message, such as its id, may appear a second time as a header.
    private static Dictionary<string, string?> HeadersOf(ReceiveContext context)
    {
        var headers = new Dictionary<string, string?>();
        foreach (var header in context.TransportHeaders.GetAll().Where(h => h.Value is not null))
        {
            headers[StorableText.Of(header.Key)] = StorableText.Of(Convert.ToString(header.Value, CultureInfo.InvariantCulture) ?? "");
        }

        return headers;
    }

    private static string? Limit(string? text) => text is null ? null : StorableText.Of(text, 255);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "A message of {Queue} could not be read or handled and is kept in poison_messages (message id {MessageId})."
    )]
    private static partial void Stored(ILogger logger, string queue, string? messageId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A poison message of {Queue} could not be stored; trying again.")]
    private static partial void NotStored(ILogger logger, string queue, Exception exception);
}

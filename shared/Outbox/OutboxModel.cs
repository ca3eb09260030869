using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Platform.Outbox;

/// <summary>The table of the outbox.</summary>
public static class OutboxModel
{
    /// <summary>Name of the table.</summary>
    public const string Table = "outbox_messages";

    /// <summary>How long a message is left to the relay that inserted or claimed it: 30 s.</summary>
    internal static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    /// <summary>When a message is due that nothing can send. The latest time that both databases know.</summary>
    internal static readonly DateTime Never = new(9999, 12, 31, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Adds <see cref="OutboxMessage"/> to the model. The names of its columns are fixed.</summary>
    public static ModelBuilder AddOutbox(this ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        return modelBuilder.Entity<OutboxMessage>(message =>
        {
            message.ToTable(Table);
            message.Property(m => m.Id).HasColumnName("id").ValueGeneratedNever();
            message.Property(m => m.MessageId).HasColumnName("message_id");
            message.Property(m => m.CorrelationId).HasColumnName("correlation_id");
            message.Property(m => m.DestinationAddress).HasColumnName("destination_address");
            message.Property(m => m.RoutingKey).HasColumnName("routing_key");
            message.Property(m => m.ContentType).HasColumnName("content_type");
            message.Property(m => m.Body).HasColumnName("body");
            message.Property(m => m.Headers).HasColumnName("headers");
            message.Property(m => m.Properties).HasColumnName("properties");
            message.Property(m => m.ExpiresAt).HasColumnName("expires_at");
            message.Property(m => m.LeaseOwner).HasColumnName("lease_owner");

            // The clock of the statement and not of the transaction: one that ran for a while would leave nothing of the lease. It is not
            // read back.
            message
                .Property(m => m.DueAt)
                .HasColumnName("due_at")
                .HasDefaultValueSql(OutboxSql.DefaultNow)
                .ValueGeneratedNever()
                .Metadata.SetBeforeSaveBehavior(PropertySaveBehavior.Ignore);
            message.Property(m => m.Failures).HasColumnName("failures");
            message.Property(m => m.Error).HasColumnName("error");
            OutboxSql.Configure(message);
        });
    }
}

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
            message.Property(m => m.ContentType).HasColumnName("content_type");
            message.Property(m => m.Body).HasColumnName("body");
            message.Property(m => m.Headers).HasColumnName("headers");
            message.Property(m => m.Properties).HasColumnName("properties");
            message.Property(m => m.ExpiresAt).HasColumnName("expires_at");
            message.Property(m => m.LeaseOwner).HasColumnName("lease_owner");

            // Not now(), the start of the transaction: one that ran for a while would leave nothing of the lease. Nor is it read back.
            message.Property(m => m.LeaseUntil).HasColumnName("lease_until").HasDefaultValueSql("clock_timestamp() + interval '30 seconds'")
                .ValueGeneratedNever().Metadata.SetBeforeSaveBehavior(PropertySaveBehavior.Ignore);
            message.Property(m => m.Failures).HasColumnName("failures");
            message.Property(m => m.Error).HasColumnName("error");
        });
    }
}

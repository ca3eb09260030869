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

    /// <summary>Whether a model has the table.</summary>
    internal static bool IsIn(IModel model) => model.FindEntityType(typeof(OutboxMessage)) is not null;

    /// <summary>Adds <see cref="OutboxMessage"/> to the model. The names of its columns are fixed.</summary>
    public static ModelBuilder AddOutbox(this ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        return modelBuilder.Entity<OutboxMessage>(message =>
        {
            message.ToTable(Table);
            message.Property(m => m.Id).ValueGeneratedNever();

            // The clock of the statement and not of the transaction: one that ran for a while would leave nothing of the lease. It is not
            // read back.
            message
                .Property(m => m.DueAt)
                .HasDefaultValueSql(OutboxSql.DefaultNow)
                .ValueGeneratedNever()
                .Metadata.SetBeforeSaveBehavior(PropertySaveBehavior.Ignore);
            OutboxSql.Configure(message);
            SnakeCaseNames.Apply(message.Metadata);
        });
    }
}

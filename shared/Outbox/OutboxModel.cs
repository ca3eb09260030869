using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Platform.Outbox;

/// <summary>Adds the table of the outbox to a model.</summary>
public static class OutboxModel
{
    /// <summary>Name of the table.</summary>
    public const string Table = "outbox_messages";

    /// <summary>How long a message belongs to the relay that inserted or claimed it: 30 s.</summary>
    internal static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    /// <summary>The due time of a message that nothing can send: the latest time that both databases can store.</summary>
    internal static readonly DateTime Never = new(9999, 12, 31, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>Whether a model contains the table.</summary>
    internal static bool IsIn(IModel model) => model.FindEntityType(typeof(OutboxMessage)) is not null;

    /// <summary>Adds <see cref="OutboxMessage"/> to the model. The names of its columns are fixed.</summary>
    /// <param name="modelBuilder">The model.</param>
    /// <param name="schema">
    /// The schema of the table. Default null: the schema of the model. On MySQL a schema is refused, because a database there has none.
    /// </param>
    /// <param name="tablePrefix">The beginning of the table's name, at most 20 characters of a-z, 0-9 and _. Default: none.</param>
    public static ModelBuilder AddOutbox(this ModelBuilder modelBuilder, string? schema = null, string tablePrefix = "")
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        TablePlace.Check(schema, tablePrefix, OutboxSql.HasSchemas);
        return modelBuilder.Entity<OutboxMessage>(message =>
        {
            message.ToTable(Table);
            message.Property(m => m.Id).ValueGeneratedNever();

            // The clock of the statement and not of the transaction: with the latter, a long transaction would use up the lease. The value
            // is not read back.
            message
                .Property(m => m.DueAt)
                .HasDefaultValueSql(OutboxSql.DefaultNow)
                .ValueGeneratedNever()
                .Metadata.SetBeforeSaveBehavior(PropertySaveBehavior.Ignore);
            OutboxSql.Configure(message);
            TablePlace.Move(message, schema, tablePrefix);
            SnakeCaseNames.Apply(message.Metadata);
        });
    }
}

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Platform.HeavyTasks;

internal sealed partial class MySqlDialect
{
    // First warning: MassTransit's messages refer to its inbox, which the model leaves out. Second: its tables are in no snapshot.
    static partial void ConfigureOutbox(DbContextOptionsBuilder options) =>
        options.ConfigureWarnings(warnings =>
            warnings.Ignore(CoreEventId.MappedEntityTypeIgnoredWarning, RelationalEventId.PendingModelChangesWarning)
        );

    // The database creates the keys of its messages, and they are read back: after an error behind the first one, nobody would roll back.
    static partial void ConfigureOneBatchOfInserts(ref AutoTransactionBehavior behavior) => behavior = AutoTransactionBehavior.WhenNeeded;
}

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Platform.HeavyTasks;

internal static partial class DatabaseProvider
{
    // The first: MassTransit's messages refer to its inbox, which the model leaves out. The second: its tables are in no snapshot.
    static partial void ConfigureOutbox(DbContextOptionsBuilder options) =>
        options.ConfigureWarnings(warnings =>
            warnings.Ignore(CoreEventId.MappedEntityTypeIgnoredWarning, RelationalEventId.PendingModelChangesWarning)
        );

    // Its messages' keys are made by the database and read back: an error behind the first of them would find nobody to roll back.
    static partial void ConfigureOneBatchOfInserts(ref AutoTransactionBehavior behavior) => behavior = AutoTransactionBehavior.WhenNeeded;
}

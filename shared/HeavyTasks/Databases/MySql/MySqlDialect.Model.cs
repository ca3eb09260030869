using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

internal sealed partial class MySqlDialect
{
    public void ConfigureModel(ModelBuilder modelBuilder)
    {
        // Four bytes a character, and equality as in C#, whatever collation the rest of the application's model uses.
        foreach (var type in HeavyTasksModel.Entities)
        {
            modelBuilder
                .Entity(type)
                .HasCharSet("utf8mb4", DelegationModes.ApplyToAll)
                .UseCollation("utf8mb4_bin", DelegationModes.ApplyToAll);
        }

        QueryFunctions.Configure(modelBuilder);
        modelBuilder.Entity<HeavyTask>().HasIndex(t => t.FinishedAt);
    }
}

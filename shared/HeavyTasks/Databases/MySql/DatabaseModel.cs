using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>What the model of the engine needs to know about MySQL and MariaDB.</summary>
internal static class DatabaseModel
{
    public static void Configure(ModelBuilder modelBuilder)
    {
        // Four bytes a character, and equality as C# has it, whatever the rest of the application's model has.
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

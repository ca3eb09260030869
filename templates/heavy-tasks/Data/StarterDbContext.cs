using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Outbox;

namespace HeavyTasksApp.Data;

/// <summary>The application's tables, and those of heavy tasks and the outbox beside them. After a change: dotnet ef (README.md).</summary>
public sealed class StarterDbContext(DbContextOptions<StarterDbContext> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.AddHeavyTasks();
        modelBuilder.AddOutbox();
    }
}

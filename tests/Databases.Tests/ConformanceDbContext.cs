using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Outbox;

namespace Platform.Databases.Tests;

/// <summary>A row of an application.</summary>
public sealed class Thing
{
    public int Id { get; set; }

    public string Key { get; set; } = "";

    public string Name { get; set; } = "";

    public DateTime? At { get; set; }
}

/// <summary>The engine's tables with their own schema or prefix, and a table of the application.</summary>
public sealed class ConformanceDbContext(DbContextOptions<ConformanceDbContext> options) : DbContext(options)
{
    public const string Prefix = "engine_";

    public DbSet<Thing> Things => Set<Thing>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        modelBuilder.AddHeavyTasks(Schema, Prefix);
        modelBuilder.AddOutbox(Schema, Prefix);
        modelBuilder.Entity<Thing>(thing =>
        {
            thing.ToTable("things");
            thing.Property(t => t.Id).HasColumnName("id");
            thing.Property(t => t.Key).HasColumnName("thing_key").HasMaxLength(100);
            thing.Property(t => t.Name).HasColumnName("name").HasMaxLength(100);
            thing.Property(t => t.At).HasColumnName("at");
            thing.HasIndex(t => t.Key).IsUnique();
        });
    }

    private static string? Schema => Dialect.Current.HasSchemas ? "Engine" : null;
}

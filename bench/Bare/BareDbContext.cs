using Microsoft.EntityFrameworkCore;

namespace Platform.Bare;

/// <summary>A row as wide as that of a queued heavy task. Its table has a primary key and no other index.</summary>
public sealed class BareRow
{
    public Guid Id { get; init; }

    public string Kind { get; init; } = "";

    public string Status { get; init; } = "";

    public string Parameters { get; init; } = "";

    public int Attempt { get; init; }

    public int Failures { get; init; }

    public int Crashes { get; init; }

    public int MaxFailures { get; init; }

    public bool CancelRequested { get; init; }

    public DateTime CreatedAt { get; init; }

    public DateTime? QueuedAt { get; init; }

    public long ProgressDone { get; init; }
}

/// <summary>The row that the trivial task writes, in the same table.</summary>
public sealed class UserRow
{
    public long Id { get; init; }

    public string ExternalId { get; init; } = "";

    public string Name { get; init; } = "";

    public string? Email { get; init; }

    public string? Country { get; init; }

    public DateTime? SignedUpAt { get; init; }
}

/// <summary>A context with two tables and nothing else.</summary>
public sealed class BareDbContext(DbContextOptions<BareDbContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        modelBuilder.Entity<BareRow>().ToTable("bare_rows").Property(r => r.Id).ValueGeneratedNever();
        modelBuilder.Entity<UserRow>().ToTable("users");
        foreach (var property in modelBuilder.Model.GetEntityTypes().SelectMany(e => e.GetProperties()))
        {
            property.SetColumnName(
                string.Concat(
                    property.Name.Select(
                        (c, i) => i > 0 && char.IsUpper(c) ? $"_{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"
                    )
                )
            );
        }
    }
}

using Microsoft.EntityFrameworkCore;
using Platform.HeavyTasks;
using Platform.Outbox;

namespace Platform.Persistence;

/// <summary>
/// The platform's one database. The services share its tables on purpose. They never share a context, a pool or a process: every request
/// and every message has its own context, and every service has its own pool.
/// </summary>
public sealed class PlatformDbContext(DbContextOptions<PlatformDbContext> options) : DbContext(options)
{
    /// <summary>The users.</summary>
    public DbSet<User> Users => Set<User>();

    /// <inheritdoc />
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        modelBuilder.AddHeavyTasks();
        modelBuilder.AddOutbox();
        modelBuilder.Entity<User>(user =>
        {
            user.ToTable("users");
            user.Property(u => u.ExternalId).HasMaxLength(User.MaxExternalIdLength);
            user.Property(u => u.Name).HasMaxLength(User.MaxNameLength);
            user.Property(u => u.Email).HasMaxLength(User.MaxEmailLength);
            user.Property(u => u.Country).HasMaxLength(User.MaxCountryLength);
            user.Property(u => u.TenantId).HasMaxLength(ApiKeys.MaxTenantLength).HasDefaultValue("");
            user.HasIndex(u => new { u.TenantId, u.ExternalId }).IsUnique();
            user.HasIndex(u => new { u.TenantId, u.Id });
            user.HasIndex(u => u.Email);
            user.HasIndex(u => new { u.Country, u.Id });
            SnakeCaseNames.Apply(user.Metadata);
        });
        ProviderModel.Configure(modelBuilder);
    }
}

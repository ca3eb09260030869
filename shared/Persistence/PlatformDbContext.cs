using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Platform.Persistence;

/// <summary>
/// The one database of the platform. Sharing the tables between the services is deliberate; what is never shared is a context,
/// a pool or a process: every request and every message has its own context, every service its own pool.
/// </summary>
public sealed class PlatformDbContext(DbContextOptions<PlatformDbContext> options) : DbContext(options)
{
    /// <summary>Heavy tasks.</summary>
    public DbSet<HeavyTask> HeavyTasks => Set<HeavyTask>();

    /// <summary>Claims of heavy tasks.</summary>
    public DbSet<HeavyTaskAttempt> HeavyTaskAttempts => Set<HeavyTaskAttempt>();

    /// <summary>Running processes.</summary>
    public DbSet<Instance> Instances => Set<Instance>();

    /// <summary>Uploads and results.</summary>
    public DbSet<StoredFile> Files => Set<StoredFile>();

    /// <summary>Content of uploads and results.</summary>
    public DbSet<StoredFileChunk> FileChunks => Set<StoredFileChunk>();

    /// <summary>Messages set aside.</summary>
    public DbSet<PoisonMessage> PoisonMessages => Set<PoisonMessage>();

    /// <summary>Users.</summary>
    public DbSet<User> Users => Set<User>();

    /// <inheritdoc />
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        ArgumentNullException.ThrowIfNull(configurationBuilder);
        configurationBuilder.Properties<HeavyTaskStatus>().HaveConversion<string>().HaveMaxLength(HeavyTaskStatuses.MaxLength);
        configurationBuilder.Properties<AttemptOutcome>().HaveConversion<string>().HaveMaxLength(HeavyTaskAttempt.MaxOutcomeLength);
    }

    /// <inheritdoc />
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);

        modelBuilder.Entity<HeavyTask>(task =>
        {
            task.ToTable("heavy_tasks");
            task.Property(t => t.Id).ValueGeneratedNever();
            task.Property(t => t.Kind).HasMaxLength(100);
            task.Property(t => t.Status).IsConcurrencyToken();
            task.Property(t => t.Attempt).IsConcurrencyToken();
            task.Property(t => t.Owner).IsConcurrencyToken();
            task.Property(t => t.ProgressText).HasMaxLength(HeavyTask.MaxProgressTextLength);
            task.Property(t => t.Error).HasMaxLength(HeavyTask.MaxErrorLength);
            task.Property(t => t.IdempotencyKey).HasMaxLength(200);
            task.Property(t => t.RequestHash).HasMaxLength(32);

            // Nobody submits a task with these: columns that an insert does not name cost nothing.
            foreach (
                var later in new[]
                {
                    nameof(HeavyTask.Owner),
                    nameof(HeavyTask.StartedAt),
                    nameof(HeavyTask.FinishedAt),
                    nameof(HeavyTask.ProgressTotal),
                    nameof(HeavyTask.ProgressText),
                    nameof(HeavyTask.Checkpoint),
                    nameof(HeavyTask.Result),
                    nameof(HeavyTask.ResultFileId),
                    nameof(HeavyTask.Error),
                }
            )
            {
                task.Property(later).Metadata.SetBeforeSaveBehavior(PropertySaveBehavior.Ignore);
            }

            task.HasIndex(t => t.IdempotencyKey).IsUnique();
            task.HasIndex(t => new { t.Status, t.Id });
            task.HasIndex(t => new
            {
                t.Kind,
                t.Status,
                t.Id,
            });
            task.HasIndex(t => t.DueAt);
        });

        modelBuilder.Entity<HeavyTaskAttempt>(attempt =>
        {
            attempt.ToTable("heavy_task_attempts");
            attempt.HasKey(a => new { a.TaskId, a.Attempt });
            attempt.Property(a => a.Worker).HasMaxLength(200);
            attempt.Property(a => a.Error).HasMaxLength(HeavyTaskAttempt.MaxErrorLength);
        });

        modelBuilder.Entity<Instance>(instance =>
        {
            instance.ToTable("instances");
            instance.Property(i => i.Id).ValueGeneratedNever();
            instance.Property(i => i.Service).HasMaxLength(100);
            instance.Property(i => i.Host).HasMaxLength(200);
            instance.Property(i => i.Version).HasMaxLength(100);
        });

        modelBuilder.Entity<StoredFile>(file =>
        {
            file.ToTable("stored_files");
            file.Property(f => f.Id).ValueGeneratedNever();
            file.Property(f => f.Name).HasMaxLength(255);
            file.Property(f => f.ContentType).HasMaxLength(255);
            file.Property(f => f.Sha256).HasMaxLength(32);
            file.HasIndex(f => f.TaskId);
            file.HasIndex(f => f.CreatedAt);
        });

        modelBuilder.Entity<StoredFileChunk>(chunk =>
        {
            chunk.ToTable("stored_file_chunks");
            chunk.HasKey(c => new { c.FileId, c.Number });
        });

        modelBuilder.Entity<PoisonMessage>(message =>
        {
            message.ToTable("poison_messages");
            message.Property(m => m.Queue).HasMaxLength(255);
            message.Property(m => m.MessageId).HasMaxLength(255);
            message.Property(m => m.ContentType).HasMaxLength(255);
            message.HasIndex(m => m.CreatedAt);
        });

        modelBuilder.Entity<User>(user =>
        {
            user.ToTable("users");
            user.Property(u => u.ExternalId).HasMaxLength(User.MaxExternalIdLength);
            user.Property(u => u.Name).HasMaxLength(User.MaxNameLength);
            user.Property(u => u.Email).HasMaxLength(User.MaxEmailLength);
            user.Property(u => u.Country).HasMaxLength(User.MaxCountryLength);
            user.HasIndex(u => u.ExternalId).IsUnique();
            user.HasIndex(u => u.Email);
            user.HasIndex(u => new { u.Country, u.Id });
        });

        ProviderModel.Configure(modelBuilder);
        SnakeCaseNames.Apply(modelBuilder);
    }
}

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>The tables of the engine.</summary>
public static class HeavyTasksModel
{
    /// <summary>What has a table.</summary>
    internal static readonly Type[] Entities =
    [
        typeof(HeavyTask),
        typeof(HeavyTaskAttempt),
        typeof(Instance),
        typeof(StoredFile),
        typeof(StoredFileChunk),
        typeof(PoisonMessage),
    ];

    /// <summary>
    /// Adds the tables of heavy tasks, of their files and of the processes that run them to the model of an application, whose migrations
    /// then make them. Call it in <c>OnModelCreating</c>, beside <see cref="OutboxModel.AddOutbox"/>. The names of tables and columns are
    /// fixed, whatever the application's own convention.
    /// </summary>
    public static ModelBuilder AddHeavyTasks(this ModelBuilder modelBuilder)
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);

        modelBuilder.Entity<HeavyTask>(task =>
        {
            task.ToTable("heavy_tasks");
            task.Property(t => t.Id).ValueGeneratedNever();
            task.Property(t => t.Kind).HasMaxLength(100);
            task.Property(t => t.Status).HasConversion<string>().HasMaxLength(HeavyTaskStatuses.MaxLength).IsConcurrencyToken();
            task.Property(t => t.Attempt).IsConcurrencyToken();
            task.Property(t => t.Owner).IsConcurrencyToken();
            task.Property(t => t.ProgressText).HasMaxLength(HeavyTask.MaxProgressTextLength);
            task.Property(t => t.Error).HasMaxLength(HeavyTask.MaxErrorLength);
            task.Property(t => t.IdempotencyKey).HasMaxLength(HeavyTask.MaxIdempotencyKeyLength);
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
            attempt.Property(a => a.Outcome).HasConversion<string>().HasMaxLength(HeavyTaskAttempt.MaxOutcomeLength);
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

        DatabaseModel.Configure(modelBuilder);
        foreach (var type in Entities)
        {
            SnakeCaseNames.Apply(modelBuilder.Entity(type).Metadata);
        }

        return modelBuilder;
    }
}

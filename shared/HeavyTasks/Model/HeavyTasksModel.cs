using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Platform.Outbox;

namespace Platform.HeavyTasks;

/// <summary>Adds the engine's tables to a model.</summary>
public static class HeavyTasksModel
{
    /// <summary>The entities that have a table.</summary>
    internal static readonly Type[] Entities =
    [
        typeof(HeavyTask),
        typeof(HeavyTaskAttempt),
        typeof(Instance),
        typeof(StoredFile),
        typeof(StoredFileChunk),
        typeof(HeavyTaskFile),
        typeof(PoisonMessage),
        typeof(AnnouncedKind),
        typeof(ApiKey),
        typeof(AuditEntry),
        typeof(HeavyTaskMinute),
        typeof(HeavyTaskTag),
        typeof(HeavyTaskLogLine),
    ];

    /// <summary>
    /// Adds the tables of heavy tasks, of their files and of the processes that run them to an application's model; the application's
    /// migrations then create them. Call it in <c>OnModelCreating</c>, together with <see cref="OutboxModel.AddOutbox"/>. The names of
    /// columns, and the names of tables after the prefix, are fixed, whatever naming convention the application uses.
    /// </summary>
    /// <param name="modelBuilder">The model.</param>
    /// <param name="schema">
    /// The schema of the tables. Default null: the schema of the model. On MySQL a schema is refused, because a database there has none;
    /// use a prefix instead.
    /// </param>
    /// <param name="tablePrefix">The beginning of the tables' names, at most 20 characters of a-z, 0-9 and _. Default: none.</param>
    public static ModelBuilder AddHeavyTasks(this ModelBuilder modelBuilder, string? schema = null, string tablePrefix = "")
    {
        ArgumentNullException.ThrowIfNull(modelBuilder);
        TablePlace.Check(schema, tablePrefix, Dialect.Current.HasSchemas);

        modelBuilder.Entity<HeavyTask>(task =>
        {
            task.ToTable("heavy_tasks");
            task.Property(t => t.Id).ValueGeneratedNever();
            task.Property(t => t.Kind).HasMaxLength(100);
            task.Property(t => t.TenantId).HasMaxLength(ApiKeys.MaxTenantLength).HasDefaultValue("");
            task.Property(t => t.Status).HasConversion<string>().HasMaxLength(HeavyTaskStatuses.MaxLength).IsConcurrencyToken();
            task.Property(t => t.Attempt).IsConcurrencyToken();
            task.Property(t => t.Owner).IsConcurrencyToken();
            task.Property(t => t.ProgressText).HasMaxLength(HeavyTask.MaxProgressTextLength);
            task.Property(t => t.Error).HasMaxLength(HeavyTask.MaxErrorLength);
            task.Property(t => t.IdempotencyKey).HasMaxLength(HeavyTask.MaxIdempotencyKeyLength);
            task.Property(t => t.RequestHash).HasMaxLength(32);
            task.Property(t => t.SubmittedBy).HasMaxLength(AuditEntry.MaxActorLength);
            task.Property(t => t.TraceId).HasMaxLength(HeavyTask.TraceIdLength);

            // A new task never sets these, and a column that the insert does not name costs nothing.
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

            task.HasIndex(t => new { t.TenantId, t.IdempotencyKey }).IsUnique();
            task.HasIndex(t => new
            {
                t.TenantId,
                t.Status,
                t.Id,
            });
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
            instance.Property(i => i.ConnectionHolders).HasMaxLength(ConnectionHolder.MaxJsonLength);
        });

        modelBuilder.Entity<StoredFile>(file =>
        {
            file.ToTable("stored_files");
            file.Property(f => f.Id).ValueGeneratedNever();
            file.Property(f => f.Name).HasMaxLength(255);
            file.Property(f => f.ContentType).HasMaxLength(255);
            file.Property(f => f.TenantId).HasMaxLength(ApiKeys.MaxTenantLength).HasDefaultValue("");
            file.Property(f => f.Sha256).HasMaxLength(32);
            file.Property(f => f.ExpiresAt);
            file.HasIndex(f => new { f.TaskId, f.CreatedAt });
            file.HasIndex(f => f.ExpiresAt);
        });

        modelBuilder.Entity<StoredFileChunk>(chunk =>
        {
            chunk.ToTable("stored_file_chunks");
            chunk.HasKey(c => new { c.FileId, c.Number });
        });

        // The foreign key is more than a check: to add a row locks the file's, against its deletion.
        modelBuilder.Entity<HeavyTaskFile>(needed =>
        {
            needed.ToTable("heavy_task_files");
            needed.HasKey(n => new { n.FileId, n.TaskId });
            needed.HasIndex(n => n.TaskId);
            needed.HasOne<StoredFile>().WithMany().HasForeignKey(n => n.FileId).OnDelete(DeleteBehavior.Restrict);
        });

        modelBuilder.Entity<PoisonMessage>(message =>
        {
            message.ToTable("poison_messages");
            message.Property(m => m.Queue).HasMaxLength(255);
            message.Property(m => m.MessageId).HasMaxLength(255);
            message.Property(m => m.ContentType).HasMaxLength(255);
            message.HasIndex(m => m.CreatedAt);
        });

        modelBuilder.Entity<AnnouncedKind>(kind =>
        {
            kind.ToTable("heavy_task_kinds");
            kind.HasKey(k => k.Name);
            kind.Property(k => k.Name).HasMaxLength(100);
            kind.Property(k => k.Service).HasMaxLength(100);
        });

        modelBuilder.Entity<ApiKey>(key =>
        {
            key.ToTable("api_keys");
            key.Property(k => k.Id).HasMaxLength(ApiKey.IdLength);
            key.Property(k => k.Name).HasMaxLength(ApiKey.MaxNameLength);
            key.Property(k => k.SecretHash).HasMaxLength(32);
            key.Property(k => k.Roles).HasMaxLength(ApiKey.MaxRolesLength);
            key.Property(k => k.TenantId).HasMaxLength(ApiKeys.MaxTenantLength);
        });

        modelBuilder.Entity<AuditEntry>(entry =>
        {
            entry.ToTable("audit_entries");
            entry.Property(e => e.Id).ValueGeneratedNever();
            entry.Property(e => e.Actor).HasMaxLength(AuditEntry.MaxActorLength);
            entry.Property(e => e.ActorName).HasMaxLength(AuditEntry.MaxActorLength);
            entry.Property(e => e.TenantId).HasMaxLength(ApiKeys.MaxTenantLength);
            entry.Property(e => e.Action).HasMaxLength(AuditEntry.MaxActionLength);
            entry.Property(e => e.Target).HasMaxLength(AuditEntry.MaxTargetLength);
            entry.Property(e => e.Outcome).HasMaxLength(AuditEntry.MaxOutcomeLength);
            entry.Property(e => e.Address).HasMaxLength(AuditEntry.MaxAddressLength);
            entry.HasIndex(e => e.CreatedAt);
            entry.HasIndex(e => new { e.Target, e.Id });
            entry.HasIndex(e => new { e.Actor, e.Id });
        });

        modelBuilder.Entity<HeavyTaskMinute>(minute =>
        {
            minute.ToTable("heavy_task_minutes");
            minute.HasKey(m => new
            {
                m.Minute,
                m.Kind,
                m.InstanceId,
            });
            minute.Property(m => m.Kind).HasMaxLength(100);
            minute.Property(m => m.Waits).HasMaxLength(HeavyTaskMinute.MaxTimesLength);
            minute.Property(m => m.Runs).HasMaxLength(HeavyTaskMinute.MaxTimesLength);
        });

        modelBuilder.Entity<HeavyTaskTag>(tag =>
        {
            tag.ToTable("heavy_task_tags");
            tag.HasKey(t => new { t.TaskId, t.Tag });
            tag.Property(t => t.Tag).HasMaxLength(HeavyTaskTag.MaxLength);
            tag.Property(t => t.TenantTag).HasMaxLength(ApiKeys.MaxTenantLength + 1 + HeavyTaskTag.MaxLength);
            tag.HasIndex(t => new { t.Tag, t.TaskId });
            tag.HasIndex(t => new { t.TenantTag, t.TaskId });
        });

        modelBuilder.Entity<HeavyTaskLogLine>(line =>
        {
            line.ToTable("heavy_task_log_lines");
            line.HasKey(l => new
            {
                l.TaskId,
                l.Attempt,
                l.Number,
            });
            line.Property(l => l.Level).HasConversion<string>().HasMaxLength(11);
            line.Property(l => l.Text).HasMaxLength(HeavyTaskLogLine.MaxTextLength);
            line.HasIndex(l => l.At);
        });

        Dialect.Current.ConfigureModel(modelBuilder);
        foreach (var entity in Entities.Select(type => modelBuilder.Entity(type)))
        {
            TablePlace.Move(entity, schema, tablePrefix);
            SnakeCaseNames.Apply(entity.Metadata);
        }

        return modelBuilder;
    }
}

/// <summary>The engine's tables in any context whose model has them (<see cref="HeavyTasksModel.AddHeavyTasks"/>).</summary>
public static class HeavyTaskTables
{
    extension(DbContext db)
    {
        /// <summary>The heavy tasks, to be read only. Change them through <see cref="IHeavyTasks"/>.</summary>
        public DbSet<HeavyTask> HeavyTasks => db.Set<HeavyTask>();

        /// <summary>The attempts of heavy tasks, and how they ended.</summary>
        public DbSet<HeavyTaskAttempt> HeavyTaskAttempts => db.Set<HeavyTaskAttempt>();

        /// <summary>Running processes.</summary>
        internal DbSet<Instance> Instances => db.Set<Instance>();

        /// <summary>Those whose lease has not ended, to be shown and counted. Whether an owner is dead is decided elsewhere.</summary>
        internal IQueryable<Instance> LivingInstances =>
            db.Set<Instance>().AsNoTracking().Where(i => i.LeaseUntil > DatabaseClock.UtcNow());

        /// <summary>Uploads and results.</summary>
        internal DbSet<StoredFile> Files => db.Set<StoredFile>();

        /// <summary>Content of uploads and results.</summary>
        internal DbSet<StoredFileChunk> FileChunks => db.Set<StoredFileChunk>();

        /// <summary>Which task needs which file.</summary>
        internal DbSet<HeavyTaskFile> HeavyTaskFiles => db.Set<HeavyTaskFile>();

        /// <summary>Messages set aside.</summary>
        internal DbSet<PoisonMessage> PoisonMessages => db.Set<PoisonMessage>();

        /// <summary>The kinds that workers announced.</summary>
        internal DbSet<AnnouncedKind> AnnouncedKinds => db.Set<AnnouncedKind>();

        /// <summary>The keys of the HTTP endpoints' clients.</summary>
        internal DbSet<ApiKey> ApiKeys => db.Set<ApiKey>();

        /// <summary>What was done in each minute of the last hours.</summary>
        internal DbSet<HeavyTaskMinute> HeavyTaskMinutes => db.Set<HeavyTaskMinute>();

        /// <summary>The tags of tasks.</summary>
        internal DbSet<HeavyTaskTag> HeavyTaskTags => db.Set<HeavyTaskTag>();

        /// <summary>What handlers wrote for people.</summary>
        internal DbSet<HeavyTaskLogLine> HeavyTaskLogLines => db.Set<HeavyTaskLogLine>();

        /// <summary>Who did what.</summary>
        internal DbSet<AuditEntry> AuditEntries => db.Set<AuditEntry>();
    }
}

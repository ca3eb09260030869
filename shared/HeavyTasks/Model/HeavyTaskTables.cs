using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>The engine's tables in any context whose model has them (<see cref="HeavyTasksModel.AddHeavyTasks"/>).</summary>
public static class HeavyTaskTables
{
    extension(DbContext db)
    {
        /// <summary>Heavy tasks. To be read; what changes them is <see cref="IHeavyTasks"/>.</summary>
        public DbSet<HeavyTask> HeavyTasks => db.Set<HeavyTask>();

        /// <summary>Claims of heavy tasks, and how they ended.</summary>
        public DbSet<HeavyTaskAttempt> HeavyTaskAttempts => db.Set<HeavyTaskAttempt>();

        /// <summary>Running processes.</summary>
        internal DbSet<Instance> Instances => db.Set<Instance>();

        /// <summary>Uploads and results.</summary>
        internal DbSet<StoredFile> Files => db.Set<StoredFile>();

        /// <summary>Content of uploads and results.</summary>
        internal DbSet<StoredFileChunk> FileChunks => db.Set<StoredFileChunk>();

        /// <summary>Messages set aside.</summary>
        internal DbSet<PoisonMessage> PoisonMessages => db.Set<PoisonMessage>();
    }
}

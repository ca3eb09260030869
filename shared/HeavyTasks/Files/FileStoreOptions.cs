using System.ComponentModel.DataAnnotations;

namespace Platform.HeavyTasks;

/// <summary>What the files in the database may take from the pool. Section <c>Files</c>.</summary>
internal sealed class FileStoreOptions
{
    /// <summary>
    /// How many connections of the pool may write and read chunks of files at the same time. Never more than half the pool. Default 0: a
    /// third of the pool. Range 0 to 500.
    /// </summary>
    [Range(0, 500)]
    public int MaxConnections { get; set; }

    /// <summary>The share of a pool, at least one.</summary>
    public int ShareOf(int pool) => Math.Clamp(MaxConnections > 0 ? MaxConnections : pool / 3, 1, Math.Max(1, pool / 2));
}

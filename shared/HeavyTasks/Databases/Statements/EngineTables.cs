using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace Platform.HeavyTasks;

/// <summary>
/// The quoted names of the engine's tables for use in statements, with the schema and the names that the context's model gave them.
/// </summary>
internal sealed record EngineTables(string Tasks, string Attempts, string Files, string FileChunks, string Kinds)
{
    private const string Annotation = "Platform:EngineTables";

    /// <summary>The tables of this context's model; looked up once for each model.</summary>
    public static EngineTables Of(DbContext db)
    {
        ArgumentNullException.ThrowIfNull(db);
        return db.Model.GetOrAddRuntimeAnnotationValue(Annotation, Read, db);
    }

    /// <summary>The quoted name of one entity's table for use in statements.</summary>
    public static string NameOf(DbContext db, Type entity)
    {
        ArgumentNullException.ThrowIfNull(db);
        var type = db.Model.FindEntityType(entity)!;
        return db.GetService<ISqlGenerationHelper>().DelimitIdentifier(type.GetTableName()!, type.GetSchema());
    }

    private static EngineTables Read(DbContext? db) =>
        new(
            NameOf(db!, typeof(HeavyTask)),
            NameOf(db!, typeof(HeavyTaskAttempt)),
            NameOf(db!, typeof(StoredFile)),
            NameOf(db!, typeof(StoredFileChunk)),
            NameOf(db!, typeof(AnnouncedKind))
        );
}

using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// The application's context of this scope, as the engine sees it: it knows the tables that <see cref="HeavyTasksModel.AddHeavyTasks"/> added
/// and nothing of the application's own. What a handler gets injected is the same instance.
/// </summary>
internal sealed class EngineContext(DbContext db)
{
    public DbContext Db => db;
}

/// <summary>The type of the application's context.</summary>
internal sealed record EngineContextType(Type Type);

using Microsoft.EntityFrameworkCore;

namespace Platform.HeavyTasks;

/// <summary>
/// The application's context of this scope, as the engine sees it: the engine knows the tables that
/// <see cref="HeavyTasksModel.AddHeavyTasks"/> added, and none of the application's own. A handler is injected with the same instance.
/// </summary>
internal sealed class EngineContext(DbContext db)
{
    public DbContext Db => db;
}

/// <summary>The type of the application's context.</summary>
internal sealed record EngineContextType(Type Type);
